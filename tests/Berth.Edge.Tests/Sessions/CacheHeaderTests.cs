using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Berth.Edge.Tests;

/// <summary>What caches may keep of the edge (CVE-2025-48947, CVE-2025-64762: somebody else's session out of a cache).</summary>
public class CacheHeaderTests
{
    // What is the same for everybody, by the start of its route.
    private static readonly string[] Public = ["/assets", "/openapi", "/.well-known", "/favicon", "/robots"];

    [Fact]
    public async Task EveryEndpoint_SignedInOrNot_IsNotStoredUnlessItIsTheSameForEverybody()
    {
        await using var edge = await ProductFixture.StartAsync();
        var routes = edge.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains("GET") == true)
            .Select(e => "/" + e.RoutePattern.RawText!.TrimStart('/')).Distinct().ToList();
        Assert.True(routes.Count > 30, $"{routes.Count}");
        var person = await edge.SignedInAsync("user1");
        var wrong = new List<string>();
        foreach (var route in routes)
        {
            var path = System.Text.RegularExpressions.Regex.Replace(route, @"\{[^}]*\}", "x");
            foreach (var browser in (Browser[])[person, edge.NewBrowser()])
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, ProductFixture.Origin + path);
                request.Headers.TryAddWithoutValidation("Accept", "text/html");
                request.Headers.TryAddWithoutValidation("Cookie", browser.CookieHeader("localhost"));
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));

                // Headers alone: some never end.
                using var client = new HttpClient(edge.NewHandler());
                using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
                var cache = answer.Headers.CacheControl;
                var isPrivate = cache is { NoStore: true } or { Private: true };
                var isPublic = Public.Any(p => path.StartsWith(p, StringComparison.Ordinal)) && !answer.Headers.Contains("Set-Cookie");
                var varies = answer.Headers.Vary.Contains("Cookie");
                if (!isPrivate && !isPublic && !varies)
                {
                    wrong.Add($"{path} ({(int)answer.StatusCode}): {cache}");
                }

                if (answer.Headers.Contains("Set-Cookie") && cache is not { NoStore: true })
                {
                    wrong.Add($"{path} sets a cookie: {cache}");
                }
            }
        }

        Assert.Empty(wrong);
    }
}
