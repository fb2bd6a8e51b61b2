using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;

namespace Berth.Edge.Tests.Proxy;

/// <summary>
/// Authorization on workspaces' hosts. That there is a bearer token lets nobody in (CVE-2022-29226), and what is none of the edge's business
/// stays the application's.
/// </summary>
public class WorkspaceBearerTests
{
    private const string Basic = "Authorization: Basic dXNlcjpwYXNz";
    private static readonly string SocketUrl = $"ws://{EdgeFixture.WorkspaceHost}:8080/socket";

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Upgrade)]
    [InlineData(Way.Question)]
    [InlineData(Way.UpgradeQuestion)]
    public async Task GoodToken_IsItsPerson_AndGoesNoFurther(Way way)
    {
        await using var edge = await StartAsync();

        var answer = await edge.AskAsync(way, [Bearer(edge, "user1")]);

        Assert.Equal(way.Success(), answer.Status);
        if (way is Way.Question or Way.UpgradeQuestion)
        {
            Assert.NotNull(answer["X-Workspace-Identity"]);
            Assert.Null(answer["Authorization"]);
        }
        else
        {
            var seen = edge.Upstream.Requests.Single().Headers;
            Assert.DoesNotContain("Authorization", seen.Keys);
            Assert.Single(seen["X-Workspace-Identity"]);
        }
    }

    [Theory]
    [InlineData("Bearer garbage")]
    [InlineData("bearer garbage")]
    [InlineData("BEARER garbage")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer\tgarbage")]
    [InlineData("Bearer,garbage")]
    [InlineData("Bearer berth_pat_0000000000000000000000000000000000000000000000000")]
    public async Task BadToken_Is401OnEveryRoute_WhateverTheCookie(string header)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();
        string[] cookies = ["X-None: 1", $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}"];
        foreach (var cookie in cookies)
        {
            foreach (var way in Enum.GetValues<Way>())
            {
                foreach (var (target, method) in ((string, string)[])[("/", "GET"), ("/a?b", "POST"), ("/", "OPTIONS"), ("/", "HEAD")])
                {
                    var answer = await edge.AskAsync(
                        way, [cookie, $"Authorization: {header}", $"Origin: {EdgeFixture.WorkspaceOrigin}"], target, method);

                    Assert.Equal((way, method, 401), (way, method, answer.Status));
                    Assert.Equal("Bearer error=\"invalid_token\"", answer["WWW-Authenticate"]);
                    Assert.Null(answer["X-Workspace-Identity"]);
                    Assert.Null(answer["Location"]);
                }
            }

            foreach (var own in (string[])["/.berth/session?ticket=x", "/.berth/progress", "/.berth/start", "/.berth/nothing"])
            {
                var answer = await edge.AskAsync(Way.Plain, [cookie, $"Authorization: {header}"], own);
                Assert.Equal((own, 401), (own, answer.Status));
            }
        }

        Assert.Empty(edge.Upstream.Requests);
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Upgrade)]
    [InlineData(Way.Question)]
    [InlineData(Way.UpgradeQuestion)]
    public async Task TwoHeaders_Are400(Way way)
    {
        await using var edge = await StartAsync();
        var good = Bearer(edge, "user1");

        foreach (var second in (string[])[good, Basic, "Authorization: Bearer garbage"])
        {
            Assert.Equal(400, (await edge.AskAsync(way, [good, second])).Status);
            Assert.Equal(400, (await edge.AskAsync(way, [second, good])).Status);
        }

        Assert.Empty(edge.Upstream.Requests);
    }

    [Theory]
    [InlineData(Way.Plain, "Basic dXNlcjpwYXNz")]
    [InlineData(Way.Upgrade, "token 0123456789abcdef")]
    [InlineData(Way.Question, "Digest username=\"x\", realm=\"Bearer y\"")]
    [InlineData(Way.UpgradeQuestion, "Bearers not-ours")]
    [InlineData(Way.Plain, "AWS4-HMAC-SHA256 Credential=x/y, SignedHeaders=host, Signature=z")]
    public async Task OtherScheme_WithASession_ReachesTheApplicationUntouched(Way way, string value)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        var answer = await edge.AskAsync(way, [$"Authorization: {value}", $"Origin: {EdgeFixture.WorkspaceOrigin}",
            $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}"]);

        Assert.Equal(way.Success(), answer.Status);
        Assert.Equal(value, way is Way.Question or Way.UpgradeQuestion ? answer["Authorization"]
            : edge.Upstream.Requests.Single().Headers["Authorization"].Single());
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Upgrade)]
    [InlineData(Way.Question)]
    [InlineData(Way.UpgradeQuestion)]
    public async Task OtherScheme_WithoutASession_LetsNobodyIn(Way way)
    {
        await using var edge = await StartAsync();

        var answer = await edge.AskAsync(way, [Basic, "Accept: application/json"]);

        Assert.Equal(401, answer.Status);
        Assert.Null(answer["Authorization"]);
        Assert.Empty(edge.Upstream.Requests);
    }

    // A browser sends Basic by itself to the host of an application that once asked for it, also with the ticket.
    [Fact]
    public async Task OtherScheme_OnTheWayIn_IsIgnored()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        using var hop = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        using var ticket = await browser.GetAsync(hop.Headers.Location!.AbsoluteUri, ("Authorization", "Basic dXNlcjpwYXNz"));

        Assert.Equal(HttpStatusCode.SeeOther, ticket.StatusCode);
        Assert.Contains(browser.Cookies.Keys, c => c == (EdgeFixture.WorkspaceHost, "berth-ws"));
    }

    [Theory]
    [InlineData(Way.Plain, 403)]
    [InlineData(Way.Upgrade, 403)]
    [InlineData(Way.Question, 403)]
    [InlineData(Way.UpgradeQuestion, 403)]
    public async Task TokenOfSomebodyElse_Is403_AlsoBesideTheOwnersCookie(Way way, int expected)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        var answer = await edge.AskAsync(way, [Bearer(edge, "user2"), $"Origin: {EdgeFixture.WorkspaceOrigin}",
            $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}"]);

        Assert.Equal(expected, answer.Status);
        Assert.Empty(edge.Upstream.Requests);
    }

    // Cross-site WebSocket hijacking (CVE-2023-26114): a cookie needs the host's own Origin, a token may come without one.
    [Theory]
    [InlineData(Way.Upgrade)]
    [InlineData(Way.UpgradeQuestion)]
    public async Task Upgrade_ByToken_TakesNoOriginOrTheHostsOwn(Way way)
    {
        await using var edge = await StartAsync();
        var token = Bearer(edge, "user1");

        Assert.Equal(way.Success(), (await edge.AskAsync(way, [token])).Status);
        Assert.Equal(way.Success(), (await edge.AskAsync(way, [token, $"Origin: {EdgeFixture.WorkspaceOrigin}"])).Status);
        foreach (var origin in (string[])["null", "http://evil.example", EdgeFixture.OtherOrigin, EdgeFixture.Origin])
        {
            Assert.Equal((origin, 403), (origin, (await edge.AskAsync(way, [token, $"Origin: {origin}"])).Status));
        }
    }

    [Fact]
    public async Task Change_ByToken_NeedsNoOrigin()
    {
        await using var edge = await StartAsync();

        Assert.Equal(200, (await edge.AskAsync(Way.Plain, [Bearer(edge, "user1")], "/a", "POST")).Status);
        Assert.Equal(200, (await edge.AskAsync(Way.Question, [Bearer(edge, "user1")], "/a", "POST")).Status);
    }

    [Fact]
    public async Task NotReady_ByToken_Is503EvenForAProgramThatTakesAnything()
    {
        await using var edge = await StartAsync();
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Target = null, Phase = "Stopped" });
        foreach (var way in Enum.GetValues<Way>())
        {
            var answer = await edge.AskAsync(way, [Bearer(edge, "user1"), "Accept: */*"]);
            Assert.Equal((way, 503, true), (way, answer.Status, answer["Retry-After"] is not null));
        }
    }

    [Fact]
    public async Task TokenWithinTheSecondsThatClocksDiffer_HasEndedHere()
    {
        await using var edge = await StartAsync();
        var token = Bearer(edge, "user1");
        edge.Clock.Advance(TimeSpan.FromSeconds(3601));

        var answer = await edge.AskAsync(Way.Plain, [token]);

        Assert.Equal((401, "Bearer error=\"invalid_token\""), (answer.Status, answer["WWW-Authenticate"]));
    }

    [Fact]
    public async Task OpenSocket_TokensEnd_IsItsEnd()
    {
        await using var edge = await StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", Bearer(edge, "user1").Split(": ")[1]);
        using var http = new HttpMessageInvoker(edge.NewHandler());
        await socket.ConnectAsync(new Uri(SocketUrl), http, CancellationToken.None);
        Assert.Equal(1, edge.Get<IOpenConnections>().Count);

        edge.Clock.Advance(TimeSpan.FromSeconds(3600));

        await WorkspaceTokenTests.EndsAsync(socket);
    }

    [Fact]
    public async Task OpaqueToken_IsAskedAboutOnceAndIsItsPerson()
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => Ways.Trusting(o) with
        {
            Issuers = [o.Issuers[0] with { Introspection = new IntrospectionOptions { Enabled = true } }],
        });
        edge.Provider.OnIntrospect = token => Task.FromResult((200, token == "an-opaque-token-of-some-length"
            ? new JsonObject
            {
                ["active"] = true,
                ["token_type"] = "Bearer",
                ["sub"] = "user1",
                ["aud"] = EdgeFixture.Audience,
                ["client_id"] = "cli",
                ["exp"] = edge.Clock.GetUtcNow().ToUnixTimeSeconds() + 600,
            }.ToJsonString()
            : """{"active":false}"""));

        Assert.Equal(200, (await edge.AskAsync(Way.Plain, ["Authorization: Bearer an-opaque-token-of-some-length"])).Status);
        Assert.Equal(101, (await edge.AskAsync(Way.Upgrade, ["Authorization: Bearer an-opaque-token-of-some-length"])).Status);
        Assert.Equal(401, (await edge.AskAsync(Way.Upgrade, ["Authorization: Bearer another-token-of-some-length"])).Status);
        edge.Provider.OnIntrospect = _ => Task.FromResult((500, ""));
        var away = await edge.AskAsync(Way.Plain, ["Authorization: Bearer a-third-token-of-some-length"]);

        Assert.Equal((503, "5"), (away.Status, away["Retry-After"]));
        Assert.Equal(2, edge.Upstream.Requests.Count);
    }

    [Fact]
    public async Task BadTokens_TooMany_Are429_AndGoodOnesGoOn()
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => Ways.Trusting(o) with
        {
            Limits = new EdgeLimitOptions { SignIn = new RateOptions { Requests = 2, Window = TimeSpan.FromHours(1) } },
        });
        const string From = "X-Forwarded-For: 203.0.113.9";
        var known = Bearer(edge, "user1");
        Assert.Equal(200, (await edge.AskAsync(Way.Plain, [From, known])).Status);

        Assert.Equal(401, (await edge.AskAsync(Way.Plain, [From, "Authorization: Bearer garbage"])).Status);
        Assert.Equal(401, (await edge.AskAsync(Way.Upgrade, [From, "Authorization: Bearer garbage"])).Status);
        foreach (var way in Enum.GetValues<Way>())
        {
            var answer = await edge.AskAsync(way, [From, "Authorization: Bearer garbage"]);
            Assert.Equal((way, 429, true), (way, answer.Status, answer["Retry-After"] is not null));
            Assert.Equal((way, way.Success()), (way, (await edge.AskAsync(way, [From, known])).Status));
        }
    }

    // Templates that the configuration names have bearer tokens of their own; a session is what lets them through then.
    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Upgrade)]
    [InlineData(Way.Question)]
    [InlineData(Way.UpgradeQuestion)]
    public async Task ApplicationWithTokensOfItsOwn_GetsThemFromASessionOnly(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync(options: o =>
            Ways.Trusting(o) with { Proxy = o.Proxy with { ApplicationBearerTemplates = ["grafana"] } });
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Template = "grafana" });
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();
        var cookie = $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}";
        var origin = $"Origin: {EdgeFixture.WorkspaceOrigin}";

        var withSession = await edge.AskAsync(way, [cookie, origin, "Authorization: Bearer the-applications"]);
        var without = await edge.AskAsync(way, [origin, "Authorization: Bearer the-applications"]);
        var ofOurs = await edge.AskAsync(way, [Bearer(edge, "user1")]);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Template = "studio" });
        var otherTemplate = await edge.AskAsync(way, [cookie, origin, "Authorization: Bearer the-applications"]);

        Assert.Equal((way.Success(), 401, way.Success(), 401), (withSession.Status, without.Status, ofOurs.Status, otherTemplate.Status));
        if (way is Way.Plain or Way.Upgrade)
        {
            var (first, second) = (edge.Upstream.Requests.First().Headers, edge.Upstream.Requests.Last().Headers);
            Assert.Equal("Bearer the-applications", first["Authorization"].Single());
            Assert.DoesNotContain("Authorization", second.Keys);
            Assert.Equal(2, edge.Upstream.Requests.Count);
        }
        else
        {
            Assert.Equal(("Bearer the-applications", null), (withSession["Authorization"], ofOurs["Authorization"]));
        }
    }

    // Headers carry visible ASCII; the application would otherwise be told of no header, or of another.
    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Question)]
    public async Task HeaderThatCannotBePassedOn_Is400(Way way)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        string[] lines = ["Authorization: Basic m\u00c3\u00bc", $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}"];

        Assert.Equal(400, (await edge.AskAsync(way, lines)).Status);
    }

    internal static Task<EdgeFixture> StartAsync() => EdgeFixture.StartAsync(options: Ways.Trusting);

    internal static string Bearer(EdgeFixture edge, string subject)
    {
        edge.Provider.Subject = subject;
        return "Authorization: Bearer " + edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");
    }
}
