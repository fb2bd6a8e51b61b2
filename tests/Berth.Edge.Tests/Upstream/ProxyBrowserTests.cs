using System.Net;
using Berth.Accounts;
using Berth.Edge.Tests.Cluster;
using Microsoft.AspNetCore.Http;

namespace Berth.Edge.Tests.ApiProxy;

/// <summary>Calls that pages make: with the session cookie, and across origins.</summary>
public class ProxyBrowserTests
{
    private const string Page = "https://app.example.com";
    private const string Call = ProductFixture.Origin + "/proxy/api/items/1";

    [Fact]
    public async Task Cookie_ConnectionDoesNotWantIt_IsNoIdentity()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        var browser = await proxy.Edge.SignedInAsync("user1");

        using var answer = await browser.GetAsync(Call, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Dest", "empty"));

        Assert.Equal((401, "not-authenticated"), await ProxyCallTests.CodeAsync(answer));
        Assert.Empty(proxy.Calls);
    }

    [Theory]
    [InlineData("GET", "same-origin", "empty", null, 200)]
    [InlineData("POST", "same-origin", "empty", ProductFixture.Origin, 200)]
    [InlineData("GET", null, null, ProductFixture.Origin, 200)]
    [InlineData("GET", null, null, null, 403)]
    [InlineData("POST", null, null, null, 403)]
    [InlineData("GET", "same-site", "empty", null, 403)]
    [InlineData("GET", "cross-site", "empty", null, 403)]
    [InlineData("GET", "none", "document", null, 403)]
    [InlineData("GET", "same-origin", "document", null, 403)]
    [InlineData("GET", "same-origin", "script", null, 403)]
    [InlineData("GET", "same-origin", "serviceworker", null, 403)]
    [InlineData("GET", "same-origin", "empty", "http://ws-x.localhost:8080", 403)]
    public async Task Cookie_ConnectionWantsIt_CountsForScriptsOfOurPagesOnly(
        string method, string? site, string? destination, string? origin, int expected)
    {
        await using var proxy = await ProxyFixture.StartAsync(o => o with { AllowSessionCookie = true });
        var browser = await proxy.Edge.SignedInAsync("user1");
        (string, string?)[] headers = [("Sec-Fetch-Site", site), ("Sec-Fetch-Dest", destination), ("Origin", origin)];

        using var answer = await browser.SendAsync(
            Call, new HttpMethod(method), null, [.. headers.Where(h => h.Item2 is not null).Select(h => (h.Item1, h.Item2!))]);

        Assert.Equal(expected, (int)answer.StatusCode);
        Assert.Equal(expected == 200 ? 1 : 0, proxy.Calls.Count);
        Assert.All(proxy.Calls, c => Assert.Null(c.Header("Cookie")));
    }

    [Fact]
    public async Task Cookie_SessionRevoked_IsNoIdentity()
    {
        await using var proxy = await ProxyFixture.StartAsync(o => o with { AllowSessionCookie = true });
        var browser = await proxy.Edge.SignedInAsync("user1");
        await proxy.Edge.Get<IAccountStore>().RevokeAllSessionsAsync(proxy.Person("user1"), CancellationToken.None);

        using var answer = await browser.GetAsync(Call, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Dest", "empty"));

        Assert.Equal((401, "not-authenticated"), await ProxyCallTests.CodeAsync(answer));
    }

    [Theory]
    [InlineData(Page, "POST", "authorization, content-type", 204)]
    [InlineData(Page, "PUT", null, 204)]
    [InlineData(Page, "DELETE", null, 403)]
    [InlineData(Page, "GET", "x-secret", 403)]
    [InlineData("https://app.example.com.evil.example", "GET", null, 403)]
    [InlineData("http://app.example.com", "GET", null, 403)]
    [InlineData("null", "GET", null, 403)]
    public async Task Preflight_IsAnsweredHere_ByTheConnectionsRules(string origin, string method, string? headers, int expected)
    {
        await using var proxy = await StartAsync();
        using var client = proxy.Anonymous();

        using var answer = await client.SendAsync(Preflight("/proxy/api/items/1", origin, method, headers));

        Assert.Equal(expected, (int)answer.StatusCode);
        Assert.Equal(expected == 204, answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Empty(proxy.Calls);
        if (expected == 204)
        {
            Assert.Equal(Page, answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Contains("Origin", answer.Headers.Vary);
            Assert.Equal("600", answer.Headers.GetValues("Access-Control-Max-Age").Single());
        }
    }

    [Fact]
    public async Task Preflight_ClosedAndUnknownConnections_LookAlike()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.Anonymous();

        using var closed = await client.SendAsync(Preflight("/proxy/api/items/1", Page, "GET", null));
        using var unknown = await client.SendAsync(Preflight("/proxy/none/items/1", Page, "GET", null));

        var (first, second) = (await ProxyFixture.ErrorAsync(closed), await ProxyFixture.ErrorAsync(unknown));
        Assert.Equal((403, "origin-not-allowed"), (first.Status, first.Code));
        Assert.Equal((first.Status, first.Code), (second.Status, second.Code));
        Assert.Equal(["requestId"], first.Details.Select(d => d.Key));
        Assert.Equal(["requestId"], second.Details.Select(d => d.Key));
    }

    [Fact]
    public async Task CrossOrigin_AllowedPage_ReadsAnswersAndErrors()
    {
        await using var proxy = await StartAsync();
        proxy.Answer = (context, _) =>
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
            context.Response.Headers.AccessControlAllowCredentials = "true";
            return context.Response.WriteAsync("ok");
        };
        using var client = proxy.As("user1");
        client.DefaultRequestHeaders.Add("Origin", Page);

        using var good = await client.GetAsync("/proxy/api/items/1");
        using var bad = await client.GetAsync("/proxy/api/admin");

        Assert.Equal(Page, good.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.False(good.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Contains("etag", good.Headers.GetValues("Access-Control-Expose-Headers").Single(), StringComparison.Ordinal);
        Assert.Contains("Origin", good.Headers.Vary);
        Assert.Equal(Page, bad.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal((403, "path-not-allowed"), await ProxyCallTests.CodeAsync(bad));
        Assert.Null(Assert.Single(proxy.Calls).Header("Origin"));
    }

    [Fact]
    public async Task CrossOrigin_OtherPage_IsRefusedWithAGoodTokenToo()
    {
        await using var proxy = await StartAsync();
        using var client = proxy.As("user1");
        client.DefaultRequestHeaders.Add("Origin", "https://evil.example");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        Assert.Equal((403, "origin-not-allowed"), await ProxyCallTests.CodeAsync(answer));
        Assert.Empty(proxy.Calls);
    }

    [Fact]
    public async Task Refusals_AreAuditedAndCounted_WithoutPeopleInLabels()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.As("user1");

        using var refused = await client.GetAsync("/proxy/api/admin");
        using var good = await client.GetAsync("/proxy/api/items/1");
        using var unknown = await client.GetAsync("/proxy/made-up-by-somebody/x");

        var accounts = proxy.Edge.Get<IAccountStore>();
        await accounts.FlushAsync(CancellationToken.None);
        var events = await accounts.ListAuditAsync(new AuditQuery(), CancellationToken.None);
        var entry = Assert.Single(events, e => e.Action == "proxy.call");
        Assert.Equal((proxy.Person("user1"), "connections/api path-not-allowed", "refused"), (entry.Actor, entry.Target, entry.Outcome));
        string[] metrics = [];

        // An answer may reach its reader before the edge has counted it.
        await ClusterFixture.Until(async () =>
            (metrics = await MetricsAsync(proxy)).Any(l => Is(l, "api", "2xx")) && metrics.Any(l => Is(l, "unknown", "connection-not-found")));
        Assert.Contains(metrics, l => Is(l, "api", "path-not-allowed"));
        Assert.DoesNotContain(metrics, l => l.Contains("made-up", StringComparison.Ordinal) || l.Contains("user1", StringComparison.Ordinal));
    }

    private static bool Is(string line, string connection, string result) =>
        line.Contains($"connection=\"{connection}\"", StringComparison.Ordinal) && line.Contains($"result=\"{result}\"", StringComparison.Ordinal);

    private static async Task<string[]> MetricsAsync(ProxyFixture proxy)
    {
        using var client = new HttpClient();
        var text = await client.GetStringAsync(proxy.Edge.Get<ManagementServer>().Address + "/metrics");
        return [.. text.Split('\n').Where(l => l.StartsWith("berth_edge_proxy_requests", StringComparison.Ordinal))];
    }

    private static Task<ProxyFixture> StartAsync() =>
        ProxyFixture.StartAsync(o => o with { Cors = new() { AllowedOrigins = [Page] } });

    private static HttpRequestMessage Preflight(string path, string origin, string method, string? headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", method);
        if (headers is not null)
        {
            request.Headers.Add("Access-Control-Request-Headers", headers);
        }

        return request;
    }
}
