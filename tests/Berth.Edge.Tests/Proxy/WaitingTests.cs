using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;

namespace Berth.Edge.Tests.Proxy;

/// <summary>What cannot look at a progress page waits for a workspace that is starting.</summary>
public class WaitingTests
{
    private const string SocketUrl = "ws://ws-one.localhost:8080/socket";

    [Fact]
    public async Task Socket_WorkspaceBecomesReady_IsForwarded()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var (browser, ready) = await StartingAsync(edge);
        var pending = browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        await WaitsAsync(edge);
        Assert.Empty(edge.Upstream.Requests);

        edge.Directory.Put(ready with { Target = null, Message = "Pulling the image." });
        Assert.False(pending.IsCompleted);
        edge.Directory.Put(ready);

        using var socket = await pending;
        Assert.Equal(WebSocketState.Open, socket.State);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, default);
        var buffer = new byte[64];
        var message = await socket.ReceiveAsync(buffer, default);
        Assert.Equal("echo hello", Encoding.UTF8.GetString(buffer, 0, message.Count));
        await ProductFixture.Until(() => edge.Get<Waiting>().Count == 0);
    }

    [Fact]
    public async Task Script_WorkspaceBecomesReady_IsSentOnceWithItsBody()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var (browser, ready) = await StartingAsync(edge);
        var pending = browser.SendAsync($"{EdgeFixture.WorkspaceOrigin}/save", HttpMethod.Post, new StringContent("content"),
            ("Origin", EdgeFixture.WorkspaceOrigin), ("Accept", "application/json"));
        await WaitsAsync(edge);

        edge.Directory.Put(ready);

        using var answer = await pending;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(("/save", 7L), (Assert.Single(edge.Upstream.Requests).Target, edge.Upstream.Requests.Single().BodyLength));
    }

    [Theory]
    [InlineData("time", HttpStatusCode.ServiceUnavailable)]
    [InlineData("failed", HttpStatusCode.ServiceUnavailable)]
    [InlineData("stopped", HttpStatusCode.ServiceUnavailable)]
    [InlineData("logout", HttpStatusCode.Unauthorized)]
    [InlineData("person", HttpStatusCode.Unauthorized)]
    [InlineData("unshared", HttpStatusCode.Forbidden)]
    [InlineData("deleted", HttpStatusCode.NotFound)]
    public async Task Socket_WaitEndsOtherwise_IsTold(string how, HttpStatusCode expected)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var (browser, ready) = await StartingAsync(edge);
        var pending = browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        await WaitsAsync(edge);

        switch (how)
        {
            case "time":
                edge.Clock.Advance(TimeSpan.FromSeconds(29));
                Assert.False(pending.IsCompleted);
                edge.Clock.Advance(TimeSpan.FromSeconds(2));
                break;
            case "logout":
                using (await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]))
                {
                }

                break;
            case "person":
                edge.Get<IOpenConnections>().CutPerson(edge.Provider.Issuer, "user1");
                break;
            case "unshared":
                edge.Directory.Put(ready with { OwnerSubject = "user2" });
                break;
            case "deleted":
                edge.Directory.Remove(EdgeFixture.WorkspaceHost);
                break;
            default:
                edge.Directory.Put(ready with { Target = null, Phase = how == "failed" ? "Failed" : "Stopped" });
                break;
        }

        using var socket = await pending;
        Assert.Equal(expected, socket.HttpStatusCode);
        Assert.Equal(expected == HttpStatusCode.ServiceUnavailable, socket.HttpResponseHeaders!.ContainsKey("Retry-After"));

        // The answer is read before whoever wrote it has gone.
        await ProductFixture.Until(() => edge.Get<Waiting>().Count == 0);
        Assert.Empty(edge.Upstream.Requests);
    }

    // A forgotten tab connects anew for ever: that alone must not start anything, nor hold a place.
    [Theory]
    [InlineData("Stopped")]
    [InlineData("Stopping")]
    [InlineData("Failed")]
    [InlineData("Terminating")]
    public async Task Socket_NothingIsStarting_IsToldAtOnce(string phase)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var (browser, ready) = await StartingAsync(edge);
        edge.Directory.Put(ready with { Target = null, Phase = phase });

        using var socket = await browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, socket.HttpStatusCode);
        Assert.True(socket.HttpResponseHeaders!.ContainsKey("Retry-After"));
    }

    [Fact]
    public async Task Socket_ClientLeaves_GivesItsPlaceBack()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var (browser, ready) = await StartingAsync(edge);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, edge.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /socket HTTP/1.1\r\nHost: ws-one.localhost:8080\r\n"
                + $"Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: {EdgeFixture.WorkspaceOrigin}\r\nSec-WebSocket-Version: 13\r\n"
                + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}\r\n\r\n"));
            await WaitsAsync(edge);
        }

        await ProductFixture.Until(() => edge.Get<Waiting>().Count == 0);
        edge.Directory.Put(ready);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public async Task Socket_NoPlaceIsFree_IsToldAtOnce(int perWorkspace, int inAll)
    {
        await using var edge = await EdgeFixture.StartAsync(options: o =>
            o with { Proxy = o.Proxy with { WaitingPerWorkspace = perWorkspace, WaitingInAll = inAll } });
        var (browser, ready) = await StartingAsync(edge);
        var other = await edge.SignedInAsync("user2");
        using (await other.FollowAsync($"{EdgeFixture.OtherOrigin}/"))
        {
            edge.Upstream.Requests.Clear();
        }

        edge.Directory.Put(edge.Directory[EdgeFixture.OtherHost] with { Target = null, Phase = "Starting" });
        var first = browser.ConnectAsync(SocketUrl, EdgeFixture.WorkspaceOrigin);
        await WaitsAsync(edge);

        using var refused = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Contains("too-many-waiting", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var elsewhere = other.ConnectAsync("ws://ws-two.localhost:8080/socket", EdgeFixture.OtherOrigin);
        if (inAll == 0)
        {
            await WaitsAsync(edge, 2);
        }
        else
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await elsewhere).HttpStatusCode);
        }

        edge.Directory.Put(ready);
        Assert.Equal(WebSocketState.Open, (await first).State);
        edge.Directory.Put(edge.Directory[EdgeFixture.OtherHost] with { Phase = "Failed" });
        (await elsewhere).Dispose();
        (await first).Dispose();
        await ProductFixture.Until(() => edge.Get<Waiting>().Count == 0);
    }

    private static async Task<(Browser Browser, WorkspaceEntry Ready)> StartingAsync(EdgeFixture edge)
    {
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();
        var ready = edge.Directory[EdgeFixture.WorkspaceHost];
        edge.Directory.Put(ready with { Target = null, Phase = "Starting" });
        return (browser, ready);
    }

    private static Task WaitsAsync(EdgeFixture edge, int count = 1) =>
        ProductFixture.Until(() => edge.Get<Waiting>().Count == count && edge.Clock.ArmedTimers >= count);
}
