using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Edge.Tests;

/// <summary>The limits at the front door. Windows are an hour: nothing is given back while a test runs.</summary>
public class RequestLimitTests
{
    private const string Here = "203.0.113.9";
    private const string There = "203.0.113.10";
    private const string WhoAmI = $"{EdgeFixture.Origin}/whoami";
    private static readonly string SocketUrl = $"ws://{EdgeFixture.WorkspaceHost}:8080/ws";

    [Fact]
    public async Task Address_TooMany_Gets429InTheFormTheClientReads()
    {
        await using var edge = await StartAsync(new() { Address = Rate(2) });
        await PassesAsync(edge, WhoAmI, Here, 2);

        using var script = await GetAsync(edge, WhoAmI, Here, ("Accept", "application/json"));
        using var page = await GetAsync(edge, $"{EdgeFixture.WorkspaceOrigin}/", Here);
        using var question = await AskAsync(edge, Here);
        using var unreadable = await GetAsync(edge, WhoAmI, There, ("X-Forwarded-Host", "a b"));

        Assert.All([script, page, question], a => Assert.Equal(HttpStatusCode.TooManyRequests, a.StatusCode));
        Assert.All([script, page, question], a => Assert.InRange(a.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 3600));
        using var problem = JsonDocument.Parse(await script.Content.ReadAsStringAsync());
        Assert.Equal("too-many-requests", problem.RootElement.GetProperty("reason").GetString());
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.BadRequest, unreadable.StatusCode);
    }

    [Fact]
    public async Task Address_OfAnotherClientOrNone_IsNotAffected()
    {
        await using var edge = await StartAsync(new() { Address = Rate(1) });
        await PassesAsync(edge, WhoAmI, "2001:db8::1", 1);

        using var sameNetwork = await GetAsync(edge, WhoAmI, "2001:db8::ffff");
        Assert.Equal(HttpStatusCode.TooManyRequests, sameNetwork.StatusCode);
        await PassesAsync(edge, WhoAmI, "2001:db8:0:1::1", 1);

        // The proxy itself, and this machine.
        await PassesAsync(edge, WhoAmI, null, 5);
        await PassesAsync(edge, WhoAmI, "127.0.0.1", 5);
    }

    [Fact]
    public async Task SignIn_TooMany_IsRefusedAndTheRestGoesOn()
    {
        await using var edge = await StartAsync(new() { SignIn = Rate(2) });

        using var first = await GetAsync(edge, $"{EdgeFixture.Origin}/login", Here);
        using var second = await GetAsync(edge, $"{EdgeFixture.Origin}/auth/callback?state=x&code=y", Here);
        using var third = await GetAsync(edge, $"{EdgeFixture.Origin}/login", Here);

        Assert.Equal(HttpStatusCode.SeeOther, first.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, second.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
        await PassesAsync(edge, WhoAmI, Here, 3);
        using var other = await GetAsync(edge, $"{EdgeFixture.Origin}/login", There);
        Assert.Equal(HttpStatusCode.SeeOther, other.StatusCode);
    }

    [Fact]
    public async Task RefusedTokens_TooMany_LockOutNobodyWhoIsKnown()
    {
        await using var edge = await StartAsync(new() { SignIn = Rate(2) });
        var known = "Bearer " + edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");
        edge.Provider.Subject = "user2";
        var unknown = "Bearer " + edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");

        // Good ones cost nothing.
        await PassesAsync(edge, WhoAmI, Here, 5, ("Authorization", known));
        Assert.Equal("401 401 429", await StatusesAsync(edge, 3, ("Authorization", "Bearer garbage")));

        await PassesAsync(edge, WhoAmI, Here, 2, ("Authorization", known));
        Assert.Equal("429", await StatusesAsync(edge, 1, ("Authorization", unknown)));
        await PassesAsync(edge, WhoAmI, There, 1, ("Authorization", unknown));
    }

    [Fact]
    public async Task UnreadableCookies_TooMany_AreRefusedOnEveryHost()
    {
        await using var edge = await StartAsync(new() { SignIn = Rate(2) });
        var names = edge.Get<SessionCookies>().Names;

        Assert.Equal("200 200 429", await StatusesAsync(edge, 3, ("Cookie", $"{names.Session}=AAAA")));
        using var workspace = await GetAsync(edge, $"{EdgeFixture.WorkspaceOrigin}/", Here, ("Cookie", $"{names.Workspace}=AAAA"));
        Assert.Equal(HttpStatusCode.TooManyRequests, workspace.StatusCode);
        await PassesAsync(edge, WhoAmI, Here, 3);
    }

    [Fact]
    public async Task SessionThatHasEnded_IsNoRefusedCredential()
    {
        await using var edge = await StartAsync(new() { SignIn = Rate(2) });
        var browser = await edge.SignedInAsync("user1");
        edge.Clock.Advance(TimeSpan.FromDays(2));

        Assert.Equal("200 200 200 200", await StatusesAsync(edge, 4, ("Cookie", browser.CookieHeader("localhost"))));
    }

    [Fact]
    public async Task LogoutTokens_OnlyRefusedOnesCount()
    {
        await using var edge = await StartAsync(new() { SignIn = Rate(1) });

        bool[] tokens = [true, true, true, false, false];
        var statuses = new List<int>();
        foreach (var good in tokens)
        {
            statuses.Add(await LogoutAsync(edge, good));
        }

        Assert.Equal([200, 200, 200, 400, 429], statuses);
    }

    [Fact]
    public async Task Person_TooMany_IsRefusedWhereverTheyAre()
    {
        await using var edge = await StartAsync(new() { Person = Rate(8) });
        var laptop = await edge.SignedInAsync("user1");
        var phone = await edge.SignedInAsync("user1");
        var other = await edge.SignedInAsync("user2");
        for (var i = 0; i < 8; i++)
        {
            using var answer = await laptop.GetAsync(WhoAmI);
        }

        using var refused = await phone.GetAsync(WhoAmI, ("Accept", "application/json"));
        using var passes = await other.GetAsync(WhoAmI);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(HttpStatusCode.OK, passes.StatusCode);
    }

    [Fact]
    public async Task Workspace_TooMany_IsRefusedForwardedOrAskedAbout()
    {
        await using var edge = await StartAsync(new() { Workspace = Rate(3) });
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        var cookie = ("Cookie", browser.CookieHeader(EdgeFixture.WorkspaceHost));
        using var second = await AskAsync(edge, Here, cookie);
        using var third = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        edge.Upstream.Requests.Clear();

        using var forwarded = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        using var asked = await AskAsync(edge, There, cookie);
        using var other = await (await edge.SignedInAsync("user2")).FollowAsync($"{EdgeFixture.OtherOrigin}/");

        Assert.Equal([200, 200, 429, 429, 200],
            new[] { second, third, forwarded, asked, other }.Select(a => (int)a.StatusCode));
        Assert.Single(edge.Upstream.Requests);
    }

    [Fact]
    public async Task RequestsAtTheSameTime_MoreThanPlaces_AreRefusedUntilOneEnds()
    {
        await using var edge = await StartAsync(new() { RequestsPerWorkspace = 1 });
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var http = new HttpClient(edge.NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{EdgeFixture.WorkspaceOrigin}/events");
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add("Cookie", browser.CookieHeader(EdgeFixture.WorkspaceHost));
        using var stream = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        using var beside = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        edge.Upstream.Gate.SetResult();
        await stream.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, beside.StatusCode);
        await ProductFixture.Until(() => edge.Get<IOpenConnections>().Count == 0);
        Assert.True(await PassesInTheEnd(browser), "the place is free again");
    }

    [Theory]
    [InlineData("person")]
    [InlineData("workspace")]
    public async Task WebSockets_MoreThanPlaces_AreRefusedAtTheHandshakeAndCounted(string of)
    {
        var refusals = new ConcurrentBag<string?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "berth.edge.limits.refusals")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => refusals.Add(tags[0].Value?.ToString()));
        listener.Start();
        await using var edge = await StartAsync(
            of == "person" ? new() { WebSocketsPerPerson = 1 } : new() { WebSocketsPerWorkspace = 1 });
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var first = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        using var second = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(WebSocketState.Open, first.State);
        Assert.Equal(HttpStatusCode.TooManyRequests, second.HttpStatusCode);
        Assert.Equal("1", second.HttpResponseHeaders!["Retry-After"].Single());
        Assert.Contains($"{of}-websockets", refusals);
        using var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Theory]
    [InlineData("person")]
    [InlineData("workspace")]
    public async Task WebSockets_OneEnds_ItsPlaceIsGivenBack(string of)
    {
        await using var edge = await StartAsync(
            of == "person" ? new() { WebSocketsPerPerson = 1 } : new() { WebSocketsPerWorkspace = 1 });
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using (var first = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin))
        {
            Assert.Equal(WebSocketState.Open, first.State);
            first.Abort();
        }

        // The edge notices in its own time.
        var state = WebSocketState.None;
        await Cluster.ClusterFixture.Until(async () =>
        {
            using var next = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
            state = next.State;
            return state == WebSocketState.Open;
        });
        Assert.Equal(WebSocketState.Open, state);
    }

    private static RateOptions Rate(int requests) => new() { Requests = requests, Window = TimeSpan.FromHours(1) };

    private static Task<EdgeFixture> StartAsync(EdgeLimitOptions limits) =>
        EdgeFixture.StartAsync(options: o => o with { Limits = limits, TrustedProxies = ["127.0.0.1/32"] });

    private static Task<HttpResponseMessage> GetAsync(
        EdgeFixture edge, string url, string? client, params (string Name, string Value)[] headers) =>
        edge.NewBrowser().GetAsync(url, client is null ? headers : [("X-Forwarded-For", client), .. headers]);

    private static Task<HttpResponseMessage> AskAsync(EdgeFixture edge, string client, params (string Name, string Value)[] headers) =>
        GetAsync(edge, "http://berth-edge.test/auth/forward/ws-one", client,
            [("X-Forwarded-Method", "GET"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", EdgeFixture.WorkspaceHost),
                ("X-Forwarded-Uri", "/"), .. headers]);

    private static async Task<string> StatusesAsync(EdgeFixture edge, int times, params (string Name, string Value)[] headers)
    {
        var statuses = new int[times];
        for (var i = 0; i < times; i++)
        {
            using var answer = await GetAsync(edge, WhoAmI, Here, headers);
            statuses[i] = (int)answer.StatusCode;
        }

        return string.Join(' ', statuses);
    }

    private static async Task PassesAsync(
        EdgeFixture edge, string url, string? client, int times, params (string Name, string Value)[] headers)
    {
        for (var i = 0; i < times; i++)
        {
            using var answer = await GetAsync(edge, url, client, headers);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    private static async Task<int> LogoutAsync(EdgeFixture edge, bool good)
    {
        var now = edge.Clock.GetUtcNow().ToUnixTimeSeconds();
        var token = edge.Provider.Sign(new JsonObject
        {
            ["iss"] = edge.Provider.Issuer,
            ["aud"] = FakeProvider.ClientId,
            ["iat"] = now,
            ["exp"] = now + 60,
            ["jti"] = Guid.NewGuid().ToString(),
            ["sub"] = "user1",
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        }, "logout+jwt");
        using var form = new FormUrlEncodedContent([new("logout_token", good ? token : token + "A")]);
        using var answer = await edge.NewBrowser().SendAsync(
            EdgeFixture.Origin + "/auth/backchannel-logout", HttpMethod.Post, form, ("X-Forwarded-For", Here));
        return (int)answer.StatusCode;
    }

    // The answer is complete for the client a moment before it is for the edge.
    private static async Task<bool> PassesInTheEnd(Browser browser)
    {
        for (var i = 0; i < 500; i++)
        {
            using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                return true;
            }
        }

        return false;
    }
}
