using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Berth.Edge.Tests;

public class WorkspaceHostTests
{
    private const string SocketUrl = "ws://ws-one.localhost:8080/socket";

    [Fact]
    public async Task Navigation_Stranger_GoesToSignInAndLandsWhereItWanted()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var first = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/files/a%20b?x=1%2F2");
        Assert.Equal(HttpStatusCode.SeeOther, first.StatusCode);
        Assert.StartsWith($"{EdgeFixture.Origin}/auth/workspace?host=ws-one.localhost&return=%2Ffiles%2Fa%2520b%3Fx%3D1%252F2&hop=",
            first.Headers.Location!.AbsoluteUri, StringComparison.Ordinal);
        Assert.Empty(edge.Upstream.Requests);

        using var end = await browser.FollowAsync($"{EdgeFixture.WorkspaceOrigin}/files/a%20b?x=1%2F2");
        Assert.Equal("from the workspace", await end.Content.ReadAsStringAsync());
        Assert.Equal("/files/a%20b?x=1%2F2", edge.Upstream.Requests.Single().Target);
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name == "berth-hop");
    }

    [Fact]
    public async Task UnknownWorkspace_Stranger_CannotTellItFromAnother()
    {
        await using var edge = await EdgeFixture.StartAsync();

        using var known = await edge.NewBrowser().GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        using var unknown = await edge.NewBrowser().GetAsync("http://ws-nix.localhost:8080/");

        Assert.Equal(known.StatusCode, unknown.StatusCode);
        using var end = await edge.NewBrowser().FollowAsync("http://ws-nix.localhost:8080/");
        Assert.Equal(HttpStatusCode.NotFound, end.StatusCode);
    }

    [Theory]
    [InlineData("GET", "Sec-Fetch-Mode", "cors")]
    [InlineData("GET", "Sec-Fetch-Dest", "iframe")]
    [InlineData("GET", "X-Requested-With", "XMLHttpRequest")]
    [InlineData("GET", "Accept", "application/json")]
    [InlineData("GET", "Accept", "text/event-stream")]
    [InlineData("POST", "Accept", "text/html")]
    [InlineData("OPTIONS", "Accept", "text/html")]
    [InlineData("GET", "Upgrade", "websocket")]
    public async Task Script_Stranger_Gets401WithTheWayToSignIn(string method, string header, string value)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var answer = await browser.SendAsync($"{EdgeFixture.WorkspaceOrigin}/api", new HttpMethod(method),
            headers: [(header, value)]);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Empty(browser.Cookies);
        Assert.Empty(edge.Upstream.Requests);
        if (header != "Accept" || value != "text/html")
        {
            using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            Assert.StartsWith($"{EdgeFixture.Origin}/auth/workspace?host=ws-one.localhost", body.RootElement.GetProperty("loginUrl")
                .GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Upgrade_Stranger_Gets401()
    {
        await using var edge = await EdgeFixture.StartAsync();

        using var socket = await edge.NewBrowser().ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task OtherPerson_Gets403OnEveryForm()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user2");
        using (await browser.FollowAsync($"{EdgeFixture.OtherOrigin}/"))
        {
            edge.Upstream.Requests.Clear();
        }

        using var page = await browser.FollowAsync($"{EdgeFixture.WorkspaceOrigin}/");
        Assert.Equal(HttpStatusCode.Forbidden, page.StatusCode);
        Assert.Contains("Name of user2", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // The cookie of one's own host shown on another host is no session there at all.
        browser.Cookies[("ws-one.localhost", "berth-ws")] = browser.Cookies[("ws-two.localhost", "berth-ws")];
        using var script = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        Assert.Equal(HttpStatusCode.Unauthorized, script.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task PersonWhoLostTheirWorkspace_Gets403OnHttpAndUpgrade()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" });
        edge.Upstream.Requests.Clear();

        using var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        using var post = await browser.SendAsync($"{EdgeFixture.WorkspaceOrigin}/", HttpMethod.Post,
            headers: [("Origin", EdgeFixture.WorkspaceOrigin)]);
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(HttpStatusCode.Forbidden, page.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, post.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task Owner_PassesWithHttpAndUpgrade()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);

        using var post = await browser.SendAsync($"{EdgeFixture.WorkspaceOrigin}/", HttpMethod.Post, new StringContent("body"),
            ("Origin", EdgeFixture.WorkspaceOrigin));
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        await socket.SendAsync(Encoding.UTF8.GetBytes("hello"), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[64];
        var message = await socket.ReceiveAsync(buffer, CancellationToken.None);

        Assert.Equal(HttpStatusCode.OK, post.StatusCode);
        Assert.Equal("echo hello", Encoding.UTF8.GetString(buffer, 0, message.Count));
    }

    [Fact]
    public async Task LargeUpload_PassesWhole()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        using var post = await browser.SendAsync($"{EdgeFixture.WorkspaceOrigin}/", HttpMethod.Put,
            new ByteArrayContent(new byte[40_000_000]), ("Origin", EdgeFixture.WorkspaceOrigin));

        Assert.Equal(HttpStatusCode.OK, post.StatusCode);
        Assert.Equal(40_000_000, edge.Upstream.Requests.Single().BodyLength);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("http://evil.example")]
    [InlineData(EdgeFixture.OtherOrigin)]
    [InlineData(EdgeFixture.Origin)]
    [InlineData("https://ws-one.localhost:8080")]
    [InlineData("http://ws-one.localhost")]
    [InlineData("http://ws-one.localhost:8080.evil.example")]
    public async Task ForeignOrigin_UpgradeAndPost_Get403(string? origin)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        using var socket = await browser.ConnectAsync(SocketUrl, origin);
        using var post = await browser.SendAsync($"{EdgeFixture.WorkspaceOrigin}/", HttpMethod.Post, headers: origin is null
            ? [] : [("Origin", origin)]);

        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, post.StatusCode);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Theory]
    [InlineData("same-site", "no-cors", "script", HttpStatusCode.Forbidden)]
    [InlineData("cross-site", "navigate", "iframe", HttpStatusCode.Forbidden)]
    [InlineData("cross-site", "navigate", "document", HttpStatusCode.OK)]
    [InlineData("same-origin", "cors", "empty", HttpStatusCode.OK)]
    [InlineData("none", "navigate", "document", HttpStatusCode.OK)]
    public async Task FetchMetadata_OtherSitesOnlySendPeopleHere(string site, string mode, string destination, HttpStatusCode expected)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);

        using var answer = await browser.GetAsync(
            $"{EdgeFixture.WorkspaceOrigin}/", ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", destination));

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task NotReady_EachKindOfRequestGetsItsAnswer()
    {
        await using var edge = await EdgeFixture.StartAsync(
            options: o => o with { Proxy = o.Proxy with { WakeTimeout = TimeSpan.Zero } });
        var browser = await EnterAsync(edge);
        edge.Directory.Put(
            edge.Directory[EdgeFixture.WorkspaceHost] with { Target = null, Phase = "Starting", Message = "Pulling the image." });

        using var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        using var api = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);

        Assert.Contains("Pulling the image.", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, api.StatusCode);
        Assert.NotNull(api.Headers.RetryAfter);
        Assert.Equal("application/problem+json", api.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, socket.HttpStatusCode);
    }

    [Fact]
    public async Task DeadProcess_NavigationSeesProgressAndScriptsSee502()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Target = new WorkspaceTarget("127.0.0.1", LoopbackPort.Free()) });

        using var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        using var api = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.StatusCode);
        Assert.Equal(HttpStatusCode.BadGateway, api.StatusCode);
        Assert.Contains("workspace-unreachable", await api.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadGateway, socket.HttpStatusCode);
    }

    [Fact]
    public async Task ProcessMovedMeanwhile_RequestWithoutABodyIsTriedOnceMoreWhereItIsNow()
    {
        var moving = new MovingDirectory();
        await using var edge = await EdgeFixture.StartAsync(services: s => s.AddSingleton<IWorkspaceDirectory>(moving));
        moving.Inner = edge.Directory;
        var browser = await EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        moving.FirstPort = LoopbackPort.Free();
        using var read = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
        moving.FirstPort = LoopbackPort.Free();
        using var write = await browser.SendAsync(
            $"{EdgeFixture.WorkspaceOrigin}/", HttpMethod.Post, new StringContent("x"), ("Origin", EdgeFixture.WorkspaceOrigin),
                ("Accept", "application/json"));

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(HttpStatusCode.BadGateway, write.StatusCode);
        Assert.Single(edge.Upstream.Requests);
    }

    [Fact]
    public async Task ReservedPath_NeverReachesTheWorkspace()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/.berth/anything");
        using var spelled = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/%2Eberth/anything");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, spelled.StatusCode);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task EventStream_IsPassedOnAsItComes()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        using var http = new HttpClient(edge.NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{EdgeFixture.WorkspaceOrigin}/events");
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add("Cookie", browser.CookieHeader(EdgeFixture.WorkspaceHost));

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: one", await reader.ReadLineAsync());
        Assert.Equal(1, edge.Get<IOpenConnections>().Count);
        edge.Upstream.Gate.SetResult();
        await reader.ReadLineAsync();
        Assert.Equal("data: two", await reader.ReadLineAsync());
    }

    [Theory]
    [InlineData("logout")]
    [InlineData("unshared")]
    [InlineData("session-end")]
    [InlineData("person")]
    [InlineData("workspace")]
    public async Task OpenSocket_DecisionNoLongerHolds_IsCut(string why)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        Assert.Equal(WebSocketState.Open, socket.State);
        var connections = edge.Get<IOpenConnections>();
        Assert.True(connections.IsOpen("berth", "ws-one"));

        switch (why)
        {
            case "logout":
                using (await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]))
                {
                }

                break;
            case "unshared":
                Assert.Equal(0, connections.Review(edge.Directory[EdgeFixture.WorkspaceHost]));
                Assert.Equal(1, connections.Review(edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" }));
                break;
            case "session-end":
                edge.Clock.Advance(TimeSpan.FromHours(24));
                break;
            case "person":
                Assert.Equal(1, connections.CutPerson(edge.Provider.Issuer, "user1"));
                break;
            default:
                Assert.Equal(1, connections.CutWorkspace("berth", "ws-one"));
                break;
        }

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
        {
            var message = await socket.ReceiveAsync(new byte[16], deadline.Token);
            if (message.MessageType == WebSocketMessageType.Close)
            {
                throw new WebSocketException("closed");
            }
        });
        if (why == "logout")
        {
            using var after = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
            Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        }
    }

    /// <summary>user1 inside ws-one.</summary>
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task NoAnswerInTime_Is504_AndTheWorkspaceIsToldToStop(string method)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        var pending = browser.SendAsync(
            $"{EdgeFixture.WorkspaceOrigin}/slow", new HttpMethod(method), method == "POST" ? new StringContent("question") : null,
            ("Origin", EdgeFixture.WorkspaceOrigin), ("Accept", "application/json"));
        while (edge.Upstream.Requests.IsEmpty)
        {
            await Task.Delay(5);
        }

        // The upstream has the whole request before the edge has noted its end: the clock may have to move more than once.
        while (!pending.IsCompleted)
        {
            edge.Clock.Advance(TimeSpan.FromSeconds(61));
            await Task.WhenAny(pending, Task.Delay(50));
        }

        using var answer = await pending;
        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.Contains("workspace-timeout", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnswerThatHasBegun_MayTakeItsTime()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await EnterAsync(edge);

        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/events", ("Accept", "*/*"));
        edge.Clock.Advance(TimeSpan.FromSeconds(200));
        edge.Upstream.Gate.SetResult();

        Assert.Equal("data: one\n\ndata: two\n\n", await answer.Content.ReadAsStringAsync());
    }

    internal static async Task<Browser> EnterAsync(EdgeFixture edge)
    {
        var browser = await edge.SignedInAsync("user1");
        using var answer = await browser.FollowAsync($"{EdgeFixture.WorkspaceOrigin}/");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return browser;
    }

    /// <summary>Tells a dead port once, then the real one.</summary>
    private sealed class MovingDirectory : IWorkspaceDirectory
    {
        public TableDirectory Inner { get; set; } = new();

        public int? FirstPort { get; set; }

        public IWorkspaceChanges Subscribe(string name) => Inner.Subscribe(name);

        public bool TryFindByHost(string host, [NotNullWhen(true)] out WorkspaceEntry? entry)
        {
            if (!Inner.TryFindByHost(host, out entry))
            {
                return false;
            }

            if (FirstPort is { } port)
            {
                FirstPort = null;
                entry = entry with { Target = new WorkspaceTarget("127.0.0.1", port) };
            }

            return true;
        }
    }
}
