using System.Net;
using System.Text;
using System.Text.Json;

namespace Berth.Edge.Tests;

public class HeaderTests
{
    private static readonly string[] Spellings =
    [
        "X-Workspace-Identity", "x-workspace-identity", "X-WORKSPACE-IDENTITY", "Workspace-Identity", "X-Workspace-Identity-Extra",
        "X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Proto", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Prefix",
            "X-Forwarded-Uri",
        "X-Forwarded-Preferred-Username", "X-Forwarded-Groups", "X-Forwarded-Access-Token", "Forwarded", "X-Real-IP", "X-Auth-Request-User",
            "X-Auth-Request-Email",
        "Remote-User", "X-Remote-User", "Remote-Groups", "X-WebAuth-User", "X-Berth-Anything", "X-Original-URL", "X-Rewrite-URL",
            "True-Client-IP",
        "X-Goog-Authenticated-User-Email", "X-Pomerium-Jwt-Assertion", "OIDC-Claim-Sub", "X-Authenticated-User", "X-Auth-User",
    ];

    [Fact]
    public async Task ProtectedHeaders_FromTheClient_NeverArrive()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        foreach (var name in Spellings)
        {
            edge.Upstream.Requests.Clear();
            using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", (name, "forged"), (name + "", "forged"));

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var received = edge.Upstream.Requests.Single().Headers;
            Assert.DoesNotContain(received, h => h.Value.Any(v => v.Contains("forged", StringComparison.Ordinal)));
            Assert.Single(received["X-Workspace-Identity"]);
            Assert.Equal(["127.0.0.1"], received["X-Forwarded-For"]);
            Assert.Equal(["ws-one.localhost:8080"], received["X-Forwarded-Host"]);
            Assert.Equal(["http"], received["X-Forwarded-Proto"]);
            Assert.Equal(["ws-one.localhost:8080"], received["Host"]);
        }
    }

    [Theory]
    [InlineData("X_Workspace_Identity: forged")]
    [InlineData("x_forwarded_for: forged")]
    [InlineData("X-Forwarded_User: forged")]
    [InlineData("Remote_User: forged")]
    [InlineData("X.Forwarded.Host: forged")]
    [InlineData("Connection: X-Workspace-Identity")]
    [InlineData("Connection: x-forwarded-for")]
    [InlineData("Connection: x_forwarded_for")]
    [InlineData("Connection: Cookie")]
    [InlineData("Host: other.localhost")]
    public async Task DisguisedOrNominatedHeader_IsRefusedOnEveryHost(string line)
    {
        await using var edge = await EdgeFixture.StartAsync();
        foreach (var host in (string[])["ws-one.localhost:8080", "localhost:8080", "unknown.example"])
        {
            var end = line.StartsWith("Connection", StringComparison.Ordinal) ? "" : "Connection: close\r\n";
            var answer = await edge.RawAsync($"GET / HTTP/1.1\r\nHost: {host}\r\n{line}\r\n{end}\r\n", headersOnly: true);
            Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        }

        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task NominationBesideClose_WhichTheServerDropsItself_ChangesNothing()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        var answer = await edge.RawAsync(
            "GET / HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nConnection: close, X-Workspace-Identity, X-Forwarded-For\r\n"
            + $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Single(edge.Upstream.Requests.Single().Headers["X-Workspace-Identity"]);
        Assert.Single(edge.Upstream.Requests.Single().Headers["X-Forwarded-For"]);
    }

    // Workspaces inside a cluster know the edge by its Service.
    [Theory]
    [InlineData("http://berth-edge.test/.well-known/workspace-identity/jwks.json", HttpStatusCode.OK)]
    [InlineData("http://localhost:8080/.well-known/workspace-identity/jwks.json", HttpStatusCode.OK)]
    [InlineData("http://berth-edge.test/", HttpStatusCode.MisdirectedRequest)]
    [InlineData("http://berth-edge.test/whoami", HttpStatusCode.MisdirectedRequest)]
    public async Task PublishedKeys_AreServedUnderAnyName_AndNothingElseIs(string url, HttpStatusCode expected)
    {
        await using var edge = await EdgeFixture.StartAsync();

        using var answer = await edge.NewBrowser().GetAsync(url);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task IdentityHeader_IsASignedTokenOfThePublishedKey()
    {
        await using var edge = await EdgeFixture.StartAsync();
        await WorkspaceHostTests.EnterAsync(edge);
        var token = edge.Upstream.Requests.Last().Headers["X-Workspace-Identity"].Single();

        using var answer = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/.well-known/workspace-identity/jwks.json");
        var keys = JwkSet.Parse(await answer.Content.ReadAsByteArrayAsync())!;

        Assert.Equal(TokenError.None, JwsVerifier.Parse(token, [JwsAlgorithms.Es256], out var jws));
        Assert.Equal(TokenError.None, JwsVerifier.Verify(jws!, keys));
        Assert.Equal("workspace-identity+jwt", jws!.Type);
        Assert.Equal(keys.Keys.Single().KeyId, jws.KeyId);
        var claims = JsonDocument.Parse(jws.Payload).RootElement;
        Assert.Equal(
            (EdgeFixture.Origin, EdgeFixture.WorkspaceOrigin, "user1", edge.Provider.Issuer, "owner", "user1@example.test",
                "Name of user1"),
            (claims.Text("iss"), claims.Text("aud"), claims.Text("sub"), claims.Text("oidc_iss"), claims.Text("role"), claims.Text("email"),
                claims.Text("name")));
        Assert.Equal(300, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
        Assert.NotNull(claims.Text("jti"));
        Assert.Equal(EdgeFixture.WorkspaceOrigin, claims.Text("origin"));
        Assert.Equal(new Uri(EdgeFixture.WorkspaceOrigin).Host.Split('.')[0], claims.Text("workspace"));
        Assert.DoesNotContain("\"d\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cookies_OursStayHereAndOthersPass()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        foreach (var name in (string[])["app", "berth-flow-0123456789abcdef", "berth-hop", "__Host-berth", "BERTH-WS-X",
            "__Secure-berth-ws", "_xsrf"])
        {
            browser.Cookies[(EdgeFixture.WorkspaceHost, name)] = "v";
        }

        edge.Upstream.Requests.Clear();
        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");

        Assert.Equal("app=v; BERTH-WS-X=v; _xsrf=v", string.Join("; ", edge.Upstream.Requests.Single().Headers["Cookie"]));
    }

    [Fact]
    public async Task SetCookie_OfTheWorkspace_StaysOnItsHostAndNeverTakesOurNames()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        foreach (var cookie in (string[])
            ["app=1; Path=/; Domain=.localhost; HttpOnly", "plain=2", "berth=evil; Path=/", "__Host-berth=evil",
                "Berth-WS=evil; domain = localhost", "berth-flow-x=evil", "=berth=evil", "x=1;DOMAIN=localhost"])
        {
            edge.Upstream.Answer.Add(("Set-Cookie", cookie));
        }

        edge.Upstream.Answer.Add(("X-Workspace-Identity", "forged"));
        edge.Upstream.Answer.Add(("Clear-Site-Data", "\"cookies\""));
        edge.Upstream.Answer.Add(("Content-Security-Policy", "default-src 'self'"));
        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");

        Assert.Equal(["app=1; Path=/; HttpOnly", "plain=2", "x=1"], answer.Headers.GetValues("Set-Cookie"));
        Assert.False(answer.Headers.Contains("X-Workspace-Identity"));
        Assert.False(answer.Headers.Contains("Clear-Site-Data"));
        Assert.Equal("default-src 'self'", answer.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Theory]
    [InlineData("10.0.0.0/8", "127.0.0.1")]
    [InlineData("127.0.0.0/8", "203.0.113.9")]
    public async Task ForwardedFor_CountsOnlyFromTrustedProxies(string trusted, string expected)
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => o with { TrustedProxies = [trusted] });
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/",
            ("X-Forwarded-For", "198.51.100.1, 203.0.113.9, 127.0.0.5"));

        Assert.Equal([expected], edge.Upstream.Requests.Single().Headers["X-Forwarded-For"]);
    }

    [Theory]
    [InlineData("10.0.0.0/8", "HTTP/1.1 421")]
    [InlineData("127.0.0.0/8", "HTTP/1.1 401")]
    public async Task ForwardedHost_CountsOnlyFromTrustedProxies(string trusted, string expected)
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => o with { TrustedProxies = [trusted] });

        var answer = await edge.RawAsync("GET / HTTP/1.1\r\nHost: inner\r\nX-Forwarded-Host: ws-one.localhost:8080\r\nAccept: "
            + "application/json\r\nConnection: close\r\n\r\n");

        Assert.StartsWith(expected, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UpgradeToAnythingButWebSocket_IsForwardedAsAPlainRequest()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        var answer = await edge.RawAsync(
            "GET / HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: "
                + "h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
            + $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.False(edge.Upstream.Requests.Single().Headers.ContainsKey("Upgrade"));
        Assert.False(edge.Upstream.Requests.Single().Headers.ContainsKey("HTTP2-Settings"));
    }

    [Theory]
    [InlineData("CONNECT localhost:8080 HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", "HTTP/1.1 501")]
    [InlineData("TRACE / HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n", "HTTP/1.1 405")]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost:8080\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\nConnection: "
        + "close\r\n\r\n0\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 421")]
    [InlineData("GET / HTTP/1.1\r\nHost: a.b.localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 421")]
    [InlineData("GET / HTTP/1.1\r\nHost: ws_one.localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET http://ws-two.localhost:8080/ HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nConnection: close\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400")]
    public async Task RawRequest_OddOne_IsRefused(string request, string expected)
    {
        await using var edge = await EdgeFixture.StartAsync();

        var answer = await edge.RawAsync(request, headersOnly: true);

        Assert.StartsWith(expected, answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WS-ONE.LocalHost:8080")]
    [InlineData("ws-one.localhost.")]
    [InlineData("ws-one.localhost:1")]
    public async Task RawRequest_OtherSpellingOfAHost_IsTheSameHost(string host)
    {
        await using var edge = await EdgeFixture.StartAsync();

        var answer = await edge.RawAsync($"GET / HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 401", answer, StringComparison.Ordinal);
        Assert.Contains("host=ws-one.localhost", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(answer))
            .Replace("\\u0026", "&", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
