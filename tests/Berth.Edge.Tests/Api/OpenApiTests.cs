using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;

namespace Berth.Edge.Tests.Api;

public class OpenApiTests
{
    [Fact]
    public async Task Document_EveryRouteOfTheServer_IsDescribed()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/openapi/v1.json");
        var document = await WorkspaceApiTests.JsonAsync(answer);
        var described = document["paths"]!.AsObject().Where(p => p.Key.StartsWith("/api/", StringComparison.Ordinal))
            .SelectMany(p => p.Value!.AsObject().Select(o => $"{o.Key.ToUpperInvariant()} {p.Key}")).ToHashSet();

        var served = edge.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal)
                && !e.RoutePattern.RawText.Contains("**", StringComparison.Ordinal))
            .SelectMany(e => e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Where(m => m != "HEAD")
                .Select(m => $"{m} {e.RoutePattern.RawText}"))
            .ToHashSet();

        Assert.Equal("3.1.0", (string?)document["openapi"]);
        Assert.Equal(served.Order(), described.Order());
        Assert.NotEmpty(served);
    }

    [Fact]
    public void Document_References_AllResolve()
    {
        var document = OpenApiDocument.Build();
        var schemas = document["components"]!["schemas"]!.AsObject();
        var references = References(document).ToList();

        Assert.NotEmpty(references);
        Assert.All(references, r =>
        {
            Assert.StartsWith("#/components/schemas/", r, StringComparison.Ordinal);
            Assert.Contains(r["#/components/schemas/".Length..], schemas.Select(s => s.Key));
        });
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(p => p.Key == "$ref" ? [(string)p.Value!] : References(p.Value)),
        JsonArray a => a.SelectMany(References),
        _ => [],
    };
}
