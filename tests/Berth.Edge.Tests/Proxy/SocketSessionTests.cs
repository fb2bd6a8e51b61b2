using System.Net;
using System.Net.WebSockets;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.Proxy;

/// <summary>WebSockets and the session they belong to: its idle limit, its use, and the code that a client is told at the end.</summary>
public class SocketSessionTests
{
    private const string SocketUrl = "ws://ws-one.localhost:8080/socket";

    [Theory]
    [InlineData("logout", 4001, "signed out")]
    [InlineData("person", 4001, "signed out")]
    [InlineData("session-end", 4001, "session ended")]
    [InlineData("unshared", 1008, "access ended")]
    [InlineData("workspace", 4002, "workspace stopped")]
    [InlineData("drain", 1001, "going away")]
    public async Task OpenSocket_IsCut_ClientReadsWhy(string why, int code, string reason)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        await EchoAsync(socket);
        var connections = edge.Get<IOpenConnections>();

        switch (why)
        {
            case "logout":
                using (await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]))
                {
                }

                break;
            case "person":
                connections.CutPerson(edge.Provider.Issuer, "user1");
                break;
            case "session-end":
                edge.Clock.Advance(TimeSpan.FromHours(24));
                break;
            case "unshared":
                connections.Review(edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" });
                break;
            case "workspace":
                connections.CutWorkspace("berth", "ws-one");
                break;
            default:
                connections.CutAll();
                break;
        }

        await ClosedAsync(socket, code, reason);
    }

    [Fact]
    public async Task OpenSocket_NobodyUsesTheSession_EndsWithIt()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        await EchoAsync(socket);

        edge.Clock.Advance(TimeSpan.FromHours(7.9));
        Assert.Equal(1, edge.Get<IOpenConnections>().Count);
        edge.Clock.Advance(TimeSpan.FromHours(0.2));

        await ClosedAsync(socket, 4001, "session ended");
        using var after = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task OpenSocket_PageOfTheSameSessionIsUsed_StaysOpen()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        await EchoAsync(socket);

        edge.Clock.Advance(TimeSpan.FromHours(7));
        using (var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/"))
        {
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        }

        edge.Clock.Advance(TimeSpan.FromHours(7));
        Assert.Equal(1, edge.Get<IOpenConnections>().Count);
        edge.Clock.Advance(TimeSpan.FromHours(1.1));

        await ClosedAsync(socket, 4001, "session ended");
    }

    // Hours in a terminal and no page in between: the cookie is older than the idle limit, the session is not.
    [Fact]
    public async Task Page_AfterHoursInATerminal_IsStillSignedIn()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        for (var i = 0; i < 6; i++)
        {
            edge.Clock.Advance(TimeSpan.FromHours(2));
            await EchoAsync(socket);
        }

        foreach (var origin in new[] { EdgeFixture.WorkspaceOrigin + "/", EdgeFixture.Origin + "/whoami" })
        {
            using var page = await browser.GetAsync(origin);
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            Assert.DoesNotContain("stranger", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Contains(page.Headers.GetValues("Set-Cookie"), c => c.StartsWith("berth", StringComparison.Ordinal));
        }

        // The cookies are new now, and good without the socket.
        socket.Abort();
        edge.Clock.Advance(TimeSpan.FromHours(7));
        using var later = await browser.GetAsync(EdgeFixture.Origin + "/whoami");
        Assert.Equal("Session user1 False", await later.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Page_SessionRevokedWhileItsCookieIsIdle_IsNotSignedIn()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        for (var i = 0; i < 6; i++)
        {
            edge.Clock.Advance(TimeSpan.FromHours(2));
            await EchoAsync(socket);
        }

        var cookies = browser.Cookies.ToDictionary();
        using (await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]))
        {
        }

        foreach (var (key, value) in cookies)
        {
            browser.Cookies[key] = value;
        }

        using var page = await browser.GetAsync(EdgeFixture.Origin + "/whoami");
        Assert.Equal("stranger", await page.Content.ReadAsStringAsync());
    }

    // Without pings: hours that pass at once would be hundreds of them, unanswered before the close frame.
    private static Task<EdgeFixture> StartAsync() => EdgeFixture.StartAsync(
        options: o => o with { Proxy = o.Proxy with { PingInterval = TimeSpan.Zero } },
        services: s => s.AddSingleton<IActivityMeter>(p => new CountingMeter(p.GetRequiredService<TimeProvider>())));

    private static async Task EchoAsync(WebSocket socket)
    {
        await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, true, default);
        var message = await socket.ReceiveAsync(new byte[64], default);
        Assert.Equal(WebSocketMessageType.Text, message.MessageType);
    }

    private static async Task ClosedAsync(ClientWebSocket socket, int code, string reason)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var message = await socket.ReceiveAsync(new byte[64], limit.Token);
        Assert.Equal((WebSocketMessageType.Close, code, reason),
            (message.MessageType, (int)socket.CloseStatus!.Value, socket.CloseStatusDescription));
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
        }
        catch (WebSocketException)
        {
            // The clock was moved on: the time for an answer is over.
        }
    }

    private sealed class CountingMeter(TimeProvider clock) : IActivityMeter
    {
        private readonly ActivityTable _table = new();

        public UseInProgress? Begin(WorkspaceEntry workspace, string path) => new(_table.Of(workspace.Name), 0, clock);
    }
}
