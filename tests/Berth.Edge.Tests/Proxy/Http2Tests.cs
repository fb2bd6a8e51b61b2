using System.Net;
using System.Net.WebSockets;
using System.Text;

namespace Berth.Edge.Tests.Proxy;

/// <summary>HTTP/2 from the client to the edge, HTTP/1.1 from there: the same rules, whatever the form.</summary>
public class Http2Tests
{
    private const string Handshake = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Accept: ";

    [Fact]
    public async Task ExtendedConnect_Owner_IsForwardedAsUpgrade()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        using var socket = await ConnectAsync(edge, browser, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(WebSocketState.Open, socket.State);
        Assert.Equal(HttpStatusCode.OK, socket.HttpStatusCode);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, default);
        var buffer = new byte[64];
        var message = await socket.ReceiveAsync(buffer, default);
        Assert.Equal("echo hello", Encoding.UTF8.GetString(buffer, 0, message.Count));
        var seen = Assert.Single(edge.Upstream.Requests);
        Assert.Equal("websocket", Assert.Single(seen.Headers["Upgrade"]));
        Assert.Single(seen.Headers[ProtectedHeaders.Identity]);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await ProductFixture.Until(() => edge.Get<IOpenConnections>().Count == 0);
    }

    // CVE-2024-28179, CVE-2023-26114: a WebSocket is let in by the same rules as a page, in this form too.
    [Theory]
    [InlineData("stranger", EdgeFixture.WorkspaceOrigin, HttpStatusCode.Unauthorized)]
    [InlineData("other", EdgeFixture.WorkspaceOrigin, HttpStatusCode.Forbidden)]
    [InlineData("owner", EdgeFixture.OtherOrigin, HttpStatusCode.Forbidden)]
    [InlineData("owner", "null", HttpStatusCode.Forbidden)]
    [InlineData("owner", null, HttpStatusCode.Forbidden)]
    public async Task ExtendedConnect_NotAllowed_IsRefused(string who, string? origin, HttpStatusCode expected)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = who == "stranger" ? edge.NewBrowser() : await WorkspaceHostTests.EnterAsync(edge);
        if (who == "other")
        {
            edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" });
        }

        edge.Upstream.Requests.Clear();

        using var socket = await ConnectAsync(edge, browser, origin);
        using var classic = await browser.ConnectAsync("ws://ws-one.localhost:8080/socket", origin);

        Assert.Equal((expected, expected), (socket.HttpStatusCode, classic.HttpStatusCode));
        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task ExtendedConnect_SessionIsRevoked_ClientReadsWhy()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var socket = await ConnectAsync(edge, browser, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(1, edge.Get<IOpenConnections>().CutPerson(edge.Provider.Issuer, "user1"));

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var message = await socket.ReceiveAsync(new byte[64], limit.Token);
        Assert.Equal((WebSocketMessageType.Close, 4001), (message.MessageType, (int)socket.CloseStatus!.Value));
    }

    [Fact]
    public async Task EventStream_IsPassedOnAsItComes()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var http = new HttpMessageInvoker(Loopback.Handler(edge.Http2Port));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{EdgeFixture.WorkspaceOrigin}/events")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add("Cookie", browser.CookieHeader(EdgeFixture.WorkspaceHost));

        using var response = await http.SendAsync(request, default);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: one", await reader.ReadLineAsync());
        Assert.Equal(HttpVersion.Version20, response.Version);
        edge.Upstream.Gate.SetResult();
        await reader.ReadLineAsync();
        Assert.Equal("data: two", await reader.ReadLineAsync());
    }

    // CVE-2024-23326: what is no 101 is no switch, whatever it says of itself. To an extended CONNECT a 200 would be one.
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello", 502, 200)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 502, 204)]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, 404)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 502, 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n", 502, 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n", 502, 502)]
    public async Task Handshake_AnswerIsNoSwitch_StaysHttp(string answer, int extended, int classic)
    {
        using var upstream = new RawUpstream(answer: answer);
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await LeadToAsync(edge, upstream);

        using var overHttp2 = await ConnectAsync(edge, browser, EdgeFixture.WorkspaceOrigin);
        using var overHttp1 = await browser.ConnectAsync("ws://ws-one.localhost:8080/socket", EdgeFixture.WorkspaceOrigin);

        Assert.Equal((extended, classic), ((int)overHttp2.HttpStatusCode, (int)overHttp1.HttpStatusCode));
        Assert.NotEqual(WebSocketState.Open, overHttp1.State);
        Assert.NotEqual(WebSocketState.Open, overHttp2.State);
    }

    [Fact]
    public async Task Handshake_AcceptIsWrong_ExtendedConnectIsRefused()
    {
        using var upstream = new RawUpstream(answer: Handshake + "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await LeadToAsync(edge, upstream);

        using var socket = await ConnectAsync(edge, browser, EdgeFixture.WorkspaceOrigin);

        Assert.Equal(HttpStatusCode.BadGateway, socket.HttpStatusCode);
    }

    [Fact]
    public async Task PlainRequest_IsAnsweredWithASwitch_IsRefused()
    {
        using var upstream = new RawUpstream(answer: Handshake + "AAAA\r\n\r\nsmuggled");
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await LeadToAsync(edge, upstream);

        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.DoesNotContain("smuggled", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    // CVE-2023-33141.
    [Fact]
    public void Forwarder_IsAVersionWithoutKnownFaults() =>
        Assert.True(typeof(WorkspaceForwarder).Assembly.GetReferencedAssemblies().Single(a => a.Name == "Yarp.ReverseProxy").Version
            >= new Version(2, 0, 1));

    internal static async Task<ClientWebSocket> ConnectAsync(EdgeFixture edge, Browser browser, string? origin)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.CollectHttpResponseDetails = true;
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }

        if (browser.CookieHeader(EdgeFixture.WorkspaceHost) is { Length: > 0 } cookies)
        {
            socket.Options.SetRequestHeader("Cookie", cookies);
        }

        try
        {
            await socket.ConnectAsync(
                new Uri("ws://ws-one.localhost:8080/socket"), new HttpMessageInvoker(Loopback.Handler(edge.Http2Port)), default);
        }
        catch (WebSocketException)
        {
            // The caller looks at HttpStatusCode.
        }

        return socket;
    }

    private static async Task<Browser> LeadToAsync(EdgeFixture edge, RawUpstream upstream)
    {
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Target = new WorkspaceTarget("127.0.0.1", upstream.Port) });
        return browser;
    }
}
