using System.Net;
using System.Net.WebSockets;
using System.Text;

namespace Berth.Edge.Tests.PathPrefix;

/// <summary>Workspaces as folders of one host, over the wire.</summary>
public class PathPrefixTests
{
    private const string Host = "workspaces.localhost";
    private const string Shared = "http://workspaces.localhost:8080";
    private const string One = Shared + "/w/ws-one";
    private const string Two = Shared + "/w/ws-two";

    [Fact]
    public async Task Open_AsOwner_SignsInAndForwardsWithoutTheFolder()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");

        using var answer = await browser.FollowAsync(One + "/docs/a%20b?x=1");

        Assert.Equal("from the workspace", await answer.Content.ReadAsStringAsync());
        Assert.Equal(One + "/docs/a%20b?x=1", answer.RequestMessage!.RequestUri!.AbsoluteUri);
        var received = Assert.Single(edge.Upstream.Requests);
        Assert.Equal("/docs/a%20b?x=1", received.Target);
        Assert.Equal(["/w/ws-one"], received.Headers["X-Forwarded-Prefix"]);
        Assert.Equal(["workspaces.localhost:8080"], received.Headers["Host"]);
        Assert.Equal(["workspaces.localhost:8080"], received.Headers["X-Forwarded-Host"]);
        Assert.False(received.Headers.ContainsKey("Cookie"));
    }

    [Fact]
    public async Task Cookies_OfTheEdge_AreTheFoldersAlone()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var hop = await browser.GetAsync(One + "/");
        Assert.Contains("path=/w/ws-one/", Assert.Single(hop.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);

        using var answer = await browser.FollowAsync(One + "/");

        Assert.Equal([($"{Host}/w/ws-one/", "berth-ws")],
            browser.Cookies.Keys.Where(k => k.Host.StartsWith(Host, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Cookie_OfOneWorkspace_IsNoneOfAnother()
    {
        await using var edge = await StartAsync(allowOthers: true);
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");
        var value = browser.Cookies[($"{Host}/w/ws-one/", "berth-ws")];
        edge.Directory.Put(Entry("ws-two", edge.Provider.Issuer, "user1", edge.Upstream.Port));

        using var own = await edge.NewBrowser().GetAsync(One + "/", ("Cookie", "berth-ws=" + value));
        using var other = await edge.NewBrowser().GetAsync(Two + "/", ("Cookie", "berth-ws=" + value));

        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, other.StatusCode);
    }

    [Fact]
    public async Task TwoWorkspaces_OpenedAtOnce_BothArrive()
    {
        await using var edge = await StartAsync();
        edge.Directory.Put(Entry("ws-two", edge.Provider.Issuer, "user1", edge.Upstream.Port));
        var browser = await edge.SignedInAsync("user1");
        using var first = await browser.GetAsync(One + "/");
        using var second = await browser.GetAsync(Two + "/");
        using var firstHop = await browser.GetAsync(first.Headers.Location!.AbsoluteUri);
        using var secondHop = await browser.GetAsync(second.Headers.Location!.AbsoluteUri);

        using var firstAnswer = await browser.FollowAsync(firstHop.Headers.Location!.AbsoluteUri);
        using var secondAnswer = await browser.FollowAsync(secondHop.Headers.Location!.AbsoluteUri);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (firstAnswer.StatusCode, secondAnswer.StatusCode));
        Assert.Equal((One + "/", Two + "/"),
            (firstAnswer.RequestMessage!.RequestUri!.AbsoluteUri, secondAnswer.RequestMessage!.RequestUri!.AbsoluteUri));
    }

    [Theory]
    [InlineData("user2")]
    [InlineData("admin")]
    public async Task Open_SomebodyElses_IsRefusedUnlessAllowed(string subject)
    {
        await using var edge = await StartAsync();
        edge.Directory.Put(edge.Directory["ws-one." + Host] with { Shares = [new WorkspaceShare("user2", null, "use", null)] });
        var browser = await edge.SignedInAsync(subject);

        using var refused = await browser.FollowAsync(One + "/");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("PathPrefix:AllowOthers", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        edge.Directory.Put(edge.Directory["ws-one." + Host] with { IsOwnerOnly = false });
        using var allowed = await browser.FollowAsync(One + "/");
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Theory]
    [InlineData("/w/ws-one", 308)]
    [InlineData("/w/ws-one?x=//y", 308)]
    [InlineData("/", 302)]
    [InlineData("/w/", 404)]
    [InlineData("/w//ws-one/", 404)]
    [InlineData("//w/ws-one/", 404)]
    [InlineData("/W/ws-one/", 404)]
    [InlineData("/w/WS-ONE/", 404)]
    [InlineData("/.berth/session", 404)]
    [InlineData("/dashboard", 404)]
    [InlineData("/api/workspaces", 404)]
    [InlineData("/login", 404)]
    [InlineData("/w/ws-two/../ws-one/", 400)]
    [InlineData("/w/ws-two/%2e%2e/ws-one/", 400)]
    [InlineData("/w/ws-two%2f..%2fws-one/", 400)]
    [InlineData("/w/ws-two/..%2fws-one/", 400)]
    [InlineData("/w/ws-two/..%5cws-one/", 400)]
    [InlineData("/w/ws-two/..\\ws-one/", 400)]
    [InlineData("/w/ws-two/..;/ws-one/", 400)]
    [InlineData("/w/%77s-one/", 400)]
    [InlineData("/%77/ws-one/", 400)]
    [InlineData("/w/ws-one%00/", 400)]
    [InlineData("http://ws-one.workspaces.localhost/w/ws-one/", 400)]
    public async Task Target_NotAFolder_NeverReachesAWorkspace(string target, int status)
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");
        edge.Upstream.Requests.Clear();
        var cookie = browser.CookieHeader(new Uri(One + "/"));

        var answer = await edge.RawAsync(
            $"GET {target} HTTP/1.1\r\nHost: {Host}:8080\r\nAccept: text/html\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Empty(edge.Upstream.Requests);
        if (status == 308)
        {
            Assert.Contains("\r\nLocation: /w/ws-one/" + target["/w/ws-one".Length..] + "\r\n", answer, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("ws-one.workspaces.localhost")]
    [InlineData("ws-one.localhost")]
    public async Task Host_OfOneWorkspace_IsNotServed(string host)
    {
        await using var edge = await StartAsync();

        var answer = await edge.RawAsync($"GET /w/ws-one/ HTTP/1.1\r\nHost: {host}:8080\r\nAccept: text/html\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 421 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folder_OnTheEdgesOwnHost_IsNothing()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");
        edge.Upstream.Requests.Clear();

        using var answer = await browser.GetAsync(EdgeFixture.Origin + "/w/ws-one/");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task Request_PrefixOfTheClient_IsNotPassedOn()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");

        using var answer = await browser.GetAsync(One + "/x", ("X-Forwarded-Prefix", "/w/ws-two"));

        Assert.Equal(["/w/ws-one"], edge.Upstream.Requests.Last().Headers["X-Forwarded-Prefix"]);
    }

    [Fact]
    public async Task Answer_HeadersThatLead_LeadIntoTheFolder()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");
        edge.Upstream.Answer.AddRange([("Location", "/lab"), ("Refresh", "3;url=/later"), ("Link", "</s.css>; rel=preload"),
            ("Service-Worker-Allowed", "/"), ("Set-Cookie", "sid=1; Path=/; Domain=workspaces.localhost"),
            ("Set-Cookie", "berth-ws=x; Path=/"), ("Set-Cookie", "__Host-id=2; Path=/; Secure"), ("NEL", "{}")]);

        using var answer = await browser.GetAsync(One + "/x");

        Assert.Equal("/w/ws-one/lab", answer.Headers.Location!.OriginalString);
        Assert.Equal("3;url=/w/ws-one/later", answer.Headers.GetValues("Refresh").Single());
        Assert.Equal("</w/ws-one/s.css>; rel=preload", answer.Headers.GetValues("Link").Single());
        Assert.Equal("/w/ws-one/", answer.Headers.GetValues("Service-Worker-Allowed").Single());
        Assert.False(answer.Headers.Contains("NEL"));
        Assert.Equal(["sid=1; Path=/w/ws-one/", "__Secure-berth-app-id=2; Secure; Path=/w/ws-one/"],
            answer.Headers.GetValues("Set-Cookie"));

        using var next = await browser.GetAsync(One + "/y");
        Assert.Equal(["sid=1; __Host-id=2"], edge.Upstream.Requests.Last().Headers["Cookie"].Order());
    }

    [Fact]
    public async Task WebSocket_FromTheSharedOrigin_EchoesAndIsCutAtSignOut()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");
        using var foreign = await browser.ConnectAsync("ws" + One[4..] + "/socket", "http://localhost:8080");
        Assert.Equal(HttpStatusCode.Forbidden, foreign.HttpStatusCode);

        using var socket = await browser.ConnectAsync("ws" + One[4..] + "/socket", Shared);
        await socket.SendAsync(Encoding.UTF8.GetBytes("hello"), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[64];
        var echo = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
        Assert.Equal("echo hello", Encoding.UTF8.GetString(buffer, 0, echo.Count));
        Assert.Equal("/socket", edge.Upstream.Requests.Last().Target);

        using var signedOut = await browser.SendAsync(EdgeFixture.Origin + "/logout", HttpMethod.Post,
            headers: ("Origin", EdgeFixture.Origin));
        Assert.Equal(HttpStatusCode.OK, signedOut.StatusCode);
        await ProductFixture.Until(() => edge.Get<OpenConnections>().Count == 0);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            var end = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            Assert.Equal(WebSocketMessageType.Close, end.MessageType);
        }
        catch (WebSocketException)
        {
            // Cut without a farewell: as good.
        }

        using var again = await browser.GetAsync(One + "/");
        Assert.Equal(HttpStatusCode.SeeOther, again.StatusCode);
    }

    [Fact]
    public async Task EventStream_InAFolder_StreamsAsItComes()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");
        using var http = new HttpClient(edge.NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, One + "/events");
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        request.Headers.TryAddWithoutValidation("Cookie", browser.CookieHeader(request.RequestUri!));

        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal("data: one", await lines.ReadLineAsync());
        edge.Upstream.Gate.SetResult();
        Assert.Equal("", await lines.ReadLineAsync());
        Assert.Equal("data: two", await lines.ReadLineAsync());
    }

    [Theory]
    [InlineData("http://localhost:8080", HttpStatusCode.Forbidden)]
    [InlineData("http://ws-one.workspaces.localhost:8080", HttpStatusCode.Forbidden)]
    [InlineData(Shared, HttpStatusCode.OK)]
    public async Task Post_ByOrigin_OnlyTheSharedOneIsTheWorkspaces(string origin, HttpStatusCode expected)
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");

        using var answer = await browser.SendAsync(One + "/change", HttpMethod.Post, headers: ("Origin", origin));

        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData(One + "/lab?x=1", One + "/lab?x=1")]
    [InlineData(One + "/", One + "/")]
    [InlineData(Shared + "/w/ws-gone/", "/")]
    [InlineData(One, "/")]
    [InlineData(Shared + "/w/ws-two/../ws-one/", "/")]
    [InlineData(Shared + "/w/ws-one%2f/", "/")]
    [InlineData(Shared + "//w/ws-one/", "/")]
    [InlineData(Shared + "/x", "/")]
    [InlineData(Shared + "/w/ws-one//elsewhere.test/", One + "/")]
    [InlineData("http://ws-one.workspaces.localhost:8080/", "/")]
    [InlineData("http://workspaces.localhost:8080.elsewhere.test/w/ws-one/", "/")]
    public async Task Clean_ReturnAddress_IsTheFolderOfAWorkspaceThatExists(string target, string expected)
    {
        await using var edge = await StartAsync();

        Assert.Equal(expected, edge.Get<ReturnTargets>().Clean(target));
    }

    [Theory]
    [InlineData("/w/ws-one/")]
    [InlineData("/x")]
    public async Task ForwardAuth_AboutTheSharedHost_IsNeverAYes(string path)
    {
        await using var edge = await StartAsync(o => o with { TrustedProxies = ["127.0.0.0/8"] });
        var browser = await edge.SignedInAsync("user1");
        using var opened = await browser.FollowAsync(One + "/");

        var answer = await edge.RawAsync(
            "GET /auth/forward/ws-one HTTP/1.1\r\nHost: edge.svc\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: http\r\n"
            + $"X-Forwarded-Host: {Host}:8080\r\nX-Forwarded-Uri: {path}\r\n"
            + $"Cookie: {browser.CookieHeader(new Uri(One + "/"))}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 421 ", answer, StringComparison.Ordinal);
    }

    private static Task<EdgeFixture> StartAsync(bool allowOthers) => StartAsync(o => o, allowOthers);

    private static async Task<EdgeFixture> StartAsync(Func<EdgeOptions, EdgeOptions>? options = null, bool allowOthers = false)
    {
        var edge = await EdgeFixture.StartAsync(options: o => (options?.Invoke(o) ?? o) with
        {
            WorkspaceDomain = Host,
            PathPrefix = new PathPrefixOptions { Enabled = true, AllowOthers = allowOthers },
        });
        edge.Directory.Put(Entry("ws-one", edge.Provider.Issuer, "user1", edge.Upstream.Port) with { IsOwnerOnly = !allowOthers });
        edge.Directory.Put(Entry("ws-two", edge.Provider.Issuer, "user2", edge.Upstream.Port) with { IsOwnerOnly = !allowOthers });
        return edge;
    }

    private static WorkspaceEntry Entry(string name, string issuer, string owner, int port) =>
        EdgeFixture.Entry($"{name}.{Host}", issuer, owner, port) with { Url = $"{Shared}/w/{name}" };
}
