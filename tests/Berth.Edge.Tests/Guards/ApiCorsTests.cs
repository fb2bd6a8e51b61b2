using System.Net;
using Berth.Accounts;

namespace Berth.Edge.Tests;

public class ApiCorsTests
{
    private const string Page = "https://app.example.com";

    [Theory]
    [InlineData("/api/me", Page, "GET", "authorization", 204)]
    [InlineData("/api/workspaces", Page, "POST", "Authorization, Content-Type", 204)]
    [InlineData("/api/workspaces/x", Page, "PATCH", "if-match,authorization", 204)]
    [InlineData("/openapi/v1.json", Page, "GET", null, 204)]
    [InlineData("/api/nothing-here", Page, "DELETE", null, 204)]
    [InlineData("/api/me", "https://evil.example", "GET", null, 403)]
    [InlineData("/api/me", "https://app.example.com.evil.example", "GET", null, 403)]
    [InlineData("/api/me", "https://app.example.com:8443", "GET", null, 403)]
    [InlineData("/api/me", "http://app.example.com", "GET", null, 403)]
    [InlineData("/api/me", "HTTPS://APP.EXAMPLE.COM", "GET", null, 403)]
    [InlineData("/api/me", "null", "GET", null, 403)]
    [InlineData("/api/me", Page, "TEAPOT", null, 403)]
    [InlineData("/api/me", Page, "GET", "x-forwarded-user", 403)]
    public async Task Preflight_PageOfTheList_IsAnsweredWithoutAnybodySignedIn(
        string path, string origin, string method, string? headers, int expected)
    {
        await using var edge = await StartAsync();
        using var client = Anonymous(edge);

        using var answer = await client.SendAsync(Preflight(path, origin, method, headers));

        Assert.Equal(expected, (int)answer.StatusCode);
        Assert.Equal(expected == 204, answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        if (expected == 204)
        {
            Assert.Equal(Page, One(answer, "Access-Control-Allow-Origin"));
            Assert.Equal("DELETE, GET, HEAD, PATCH, POST, PUT", One(answer, "Access-Control-Allow-Methods"));
            Assert.Equal("1200", One(answer, "Access-Control-Max-Age"));
            Assert.Contains("Origin", answer.Headers.Vary);
        }
    }

    [Theory]
    [InlineData("/api/workspaces")]
    [InlineData("/openapi/v1.json")]
    public async Task Preflight_NoPageNamed_IsRefused(string path)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var client = Anonymous(edge);

        using var answer = await client.SendAsync(Preflight(path, Page, "GET", null));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.DoesNotContain(answer.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/login")]
    [InlineData("/dashboard")]
    [InlineData("/tokens")]
    public async Task Preflight_OfAPage_IsNotAnsweredWithLeave(string path)
    {
        await using var edge = await StartAsync();
        using var client = Anonymous(edge);

        using var answer = await client.SendAsync(Preflight(path, Page, "POST", null));

        Assert.DoesNotContain(answer.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task CrossOrigin_BearerOfAnAllowedPage_ReadsAnswersAndErrors()
    {
        await using var edge = await StartAsync();
        using var api = edge.Api("user1");
        api.DefaultRequestHeaders.Add("Origin", Page);

        using var good = await api.GetAsync("/api/me");
        using var missing = await api.GetAsync("/api/workspaces/none-of-mine");
        api.DefaultRequestHeaders.Authorization = new("Bearer", "garbage");
        using var refused = await api.GetAsync("/api/me");

        Assert.Equal([200, 404, 401], new[] { good, missing, refused }.Select(a => (int)a.StatusCode));
        foreach (var answer in (HttpResponseMessage[])[good, missing, refused])
        {
            Assert.Equal(Page, One(answer, "Access-Control-Allow-Origin"));
            Assert.Contains("etag", One(answer, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
            Assert.Contains("Origin", answer.Headers.Vary);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("https://evil.example")]
    [InlineData(ProductFixture.Origin)]
    public async Task CrossOrigin_NoPageOfTheList_ReadsNothingAndCachesAreTold(string? origin)
    {
        await using var edge = await StartAsync();
        using var api = edge.Api("user1");
        if (origin is not null)
        {
            api.DefaultRequestHeaders.Add("Origin", origin);
        }

        using var answer = await api.GetAsync("/api/me");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Contains("Origin", answer.Headers.Vary);
    }

    // No fetch metadata: what an old browser, or one that hides it, sends.
    [Theory]
    [InlineData("GET", "/api/me", 401)]
    [InlineData("POST", "/api/workspaces", 403)]
    [InlineData("DELETE", "/api/me/sessions", 403)]
    public async Task CrossOrigin_CookieOfAnAllowedPage_DoesNotCount(string method, string path, int expected)
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");

        using var crossed = await browser.SendAsync(ProductFixture.Origin + path, new HttpMethod(method), null,
            ("Origin", Page), ("Accept", "application/json"));
        using var own = await browser.GetAsync($"{ProductFixture.Origin}/api/me",
            ("Origin", ProductFixture.Origin), ("Accept", "application/json"));

        Assert.Equal(expected, (int)crossed.StatusCode);
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Single(await edge.Get<IAccountStore>().ListSessionsAsync(new PersonKey(edge.Provider.Issuer, "user1"), default));
    }

    [Fact]
    public async Task Preflight_OfAWorkspace_IsNeitherAnsweredNorForwarded()
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => o with { Cors = new CorsOptions { Origins = [Page] } });
        using var client = new HttpClient(edge.NewHandler());
        using var request = Preflight(EdgeFixture.WorkspaceOrigin + "/data", Page, "GET", "authorization");

        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.DoesNotContain(answer.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(edge.Upstream.Requests);
    }

    [Theory]
    [InlineData("*", "wildcard")]
    [InlineData("https://*.example.com", "wildcard")]
    [InlineData("null", "no origin")]
    [InlineData("https://app.example.com/", "no origin")]
    [InlineData("https://app.example.com/path", "no origin")]
    [InlineData("https://app.example.com:443", "no origin")]
    [InlineData("https://APP.example.com", "no origin")]
    [InlineData("https://me@app.example.com", "no origin")]
    [InlineData("ftp://app.example.com", "no origin")]
    [InlineData("app.example.com", "no origin")]
    [InlineData("", "no origin")]
    [InlineData("http://app.example.com", "http")]
    public void Parse_NotAnExactOrigin_IsRefusedByNameWithTheRemedy(string origin, string expected)
    {
        var options = EdgeFixture.Options("http://localhost:1") with { Cors = new CorsOptions { Origins = [Page, origin] } };

        var error = Assert.Throws<EdgeConfigurationException>(() => EdgeSettingsParser.Parse(options));

        var problem = Assert.Single(error.Problems);
        Assert.StartsWith("Berth:Edge:Cors:Origins:1 ", problem, StringComparison.Ordinal);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://app.example.com")]
    [InlineData("https://app.example.com:8443")]
    [InlineData("http://localhost:3000")]
    [InlineData("http://127.0.0.1:3000")]
    [InlineData("https://[2001:db8::1]:8443")]
    public void Flaw_ExactOrigin_None(string origin) => Assert.Null(CorsPolicy.Flaw(origin));

    private static Task<ProductFixture> StartAsync() => ProductFixture.StartAsync(o => o with
    {
        Edge = o.Edge with { Cors = new CorsOptions { Origins = [Page], MaximumAge = TimeSpan.FromMinutes(20) } },
    });

    private static HttpClient Anonymous(ProductFixture edge) => new(edge.NewHandler()) { BaseAddress = new Uri(ProductFixture.Origin) };

    private static string One(HttpResponseMessage answer, string header) => Assert.Single(answer.Headers.GetValues(header));

    private static HttpRequestMessage Preflight(string path, string origin, string method, string? headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", method);
        if (headers is not null)
        {
            request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", headers);
        }

        return request;
    }
}
