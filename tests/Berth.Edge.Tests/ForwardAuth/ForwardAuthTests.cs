using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Edge.Tests;

/// <summary>
/// What a proxy such as Traefik is answered. The numbers V2, V3, V5, V10 are the vulnerabilities of other products that a case stands for.
/// </summary>
public class ForwardAuthTests
{
    private const string Address = "http://berth-edge.test/auth/forward";

    [Fact]
    public async Task Owner_Passes_WithIdentityAndCookiesLessOurs()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        using var answer = await AskAsync(edge, browser,
            more: ("Cookie", $"app=1; {browser.CookieHeader(EdgeFixture.WorkspaceHost)}; theme=dark"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        Assert.Equal("app=1; theme=dark", answer.Headers.GetValues("Cookie").Single());
        var claims = Claims(answer.Headers.GetValues("X-Workspace-Identity").Single());
        Assert.Equal("user1", claims.GetProperty("sub").GetString());
        Assert.Equal("owner", claims.GetProperty("role").GetString());
        Assert.Equal(EdgeFixture.WorkspaceOrigin, claims.GetProperty("aud").GetString());
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        Assert.Empty(edge.Upstream.Requests);
    }

    // Traefik hands on the cookies that the operator's middleware names, and only those.
    [Fact]
    public async Task SessionInUse_IsRenewedUnderTheNameTheProxyPassesOn()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Clock.Advance(TimeSpan.FromHours(5));

        using var answer = await AskAsync(edge, browser);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.StartsWith(Berth.Resources.EdgeCookies.WorkspaceSession(isHttps: false) + "=", cookie, StringComparison.Ordinal);
        browser.Cookies[(EdgeFixture.WorkspaceHost, "berth-ws")] = cookie.Split(';')[0].Split('=', 2)[1];
        edge.Clock.Advance(TimeSpan.FromHours(7));
        using var later = await AskAsync(edge, browser);
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [Fact]
    public async Task OnlyOurCookies_AnswerHasNone_SoThatTheProxyRemovesThem()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Cookie"));
    }

    [Fact]
    public async Task Stranger_Navigation_IsSentToSignInAndComesBack()
    {
        await using var edge = await StartAsync();
        var stranger = edge.NewBrowser();

        using var answer = await AskAsync(edge, null, uri: "/files/a%20b?x=1", more: ("Accept", "text/html"));

        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        Assert.StartsWith(
            $"{EdgeFixture.Origin}/auth/workspace?host=ws-one.localhost&return=%2Ffiles%2Fa%2520b%3Fx%3D1&hop=",
                answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());

        // The browser keeps the proxy's Set-Cookie under the workspace's host; with it the way in ends at the page that was wanted.
        var hop = answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=', 2);
        stranger.Cookies[(EdgeFixture.WorkspaceHost, hop[0])] = hop[1];
        edge.Provider.Subject = "user1";
        using var end = await stranger.FollowAsync(answer.Headers.Location.OriginalString);
        Assert.Equal("/files/a%20b?x=1", edge.Upstream.Requests.Single().Target);
    }

    [Theory]
    [InlineData("GET", "Accept", "application/json")]
    [InlineData("GET", "X-Requested-With", "XMLHttpRequest")]
    [InlineData("GET", "Sec-Fetch-Mode", "cors")]
    [InlineData("POST", "Accept", "application/json")]
    [InlineData("GET", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    [InlineData("GET", "Sec-Fetch-Mode", "websocket")]
    public async Task Stranger_ScriptOrUpgrade_Gets401AsJson(string method, string header, string value)
    {
        await using var edge = await StartAsync();

        using var answer = await AskAsync(edge, null, method, more: (header, value));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.StartsWith($"{EdgeFixture.Origin}/auth/workspace?host=ws-one.localhost", body.RootElement.GetProperty("loginUrl")
            .GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KnownButNotAllowed_Gets403_AndNoWorkspace404()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" });

        using var page = await AskAsync(edge, browser, more: ("Accept", "text/html"));
        using var socket = await AskAsync(edge, browser, proto: "ws", more: ("Origin", EdgeFixture.WorkspaceOrigin));

        Assert.Equal(HttpStatusCode.Forbidden, page.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, socket.StatusCode);
        Assert.Null(page.Headers.Location);
    }

    // A cookie of one workspace's host says nothing on another's, whatever X-Forwarded-Host the question carries.
    [Fact]
    public async Task CookieOfAnotherHost_IsNoSession()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser, host: EdgeFixture.OtherHost, more: ("Accept", "application/json"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/json")]
    public async Task NotReady_NeverPasses(string accept)
    {
        await using var edge = await StartAsync(s => s.AddSingleton<IProgressPage, CheerfulProgressPage>());
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Target = null, Phase = "Starting" });

        using var answer = await AskAsync(edge, browser, more: ("Accept", accept));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.False(answer.Headers.Contains("X-Workspace-Identity"));
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("ws", null, null, null, HttpStatusCode.Forbidden)]
    [InlineData("ws", null, null, "http://ws-two.localhost:8080", HttpStatusCode.Forbidden)]
    [InlineData("ws", null, null, "null", HttpStatusCode.Forbidden)]
    [InlineData("ws", null, null, "http://ws-one.localhost:8080", HttpStatusCode.OK)]
    [InlineData("http", "Sec-WebSocket-Version", "13", "http://ws-two.localhost:8080", HttpStatusCode.Forbidden)]
    [InlineData("http", "Sec-WebSocket-Version", "13", null, HttpStatusCode.Forbidden)]
    [InlineData("http", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "http://ws-one.localhost:8080", HttpStatusCode.OK)]
    [InlineData("http", null, null, "http://ws-two.localhost:8080", HttpStatusCode.Forbidden)]
    [InlineData("http", "HTTP2-Settings", "AAMAAABkAAQAAP__", null, HttpStatusCode.BadRequest)]
    public async Task Upgrade_NeedsTheHostsOwnOrigin(string proto, string? header, string? value, string? origin, HttpStatusCode expected)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        var headers = new List<(string, string)>();
        if (header is not null)
        {
            headers.Add((header, value!));
        }

        if (origin is not null)
        {
            headers.Add(("Origin", origin));
        }

        using var answer = await AskAsync(edge, browser, proto: proto, more: [.. headers]);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData("POST", null, HttpStatusCode.Forbidden)]
    [InlineData("POST", "http://ws-two.localhost:8080", HttpStatusCode.Forbidden)]
    [InlineData("POST", "http://ws-one.localhost:8080", HttpStatusCode.OK)]
    [InlineData("DELETE", null, HttpStatusCode.Forbidden)]
    public async Task Change_NeedsTheHostsOwnOrigin_ByTheForwardedMethod(string method, string? origin, HttpStatusCode expected)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser, method, more: origin is null ? [] : [("Origin", origin)]);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Viewer_MayLook_NotChangeNorUpgrade()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with
        {
            OwnerSubject = "user2",
            Shares = [new WorkspaceShare("user1", null, "view", null)],
        });
        var own = ("Origin", EdgeFixture.WorkspaceOrigin);

        using var look = await AskAsync(edge, browser);
        using var change = await AskAsync(edge, browser, "PUT", more: own);
        using var socket = await AskAsync(edge, browser, more: [own, ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]);

        Assert.Equal(HttpStatusCode.OK, look.StatusCode);
        Assert.Equal("view", Claims(look.Headers.GetValues("X-Workspace-Identity").Single()).GetProperty("role").GetString());
        Assert.Equal(HttpStatusCode.Forbidden, change.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, socket.StatusCode);
    }

    // V10: what cannot be read is never let through, and neither is what is missing or there twice.
    [Theory]
    [InlineData("X-Forwarded-Uri", "/a/../b")]
    [InlineData("X-Forwarded-Uri", "/a/%2e%2e/b")]
    [InlineData("X-Forwarded-Uri", "/a%2fb")]
    [InlineData("X-Forwarded-Uri", "/a%5cb")]
    [InlineData("X-Forwarded-Uri", "/a%00b")]
    [InlineData("X-Forwarded-Uri", "/a%zz")]
    [InlineData("X-Forwarded-Uri", "/a#b")]
    [InlineData("X-Forwarded-Uri", "\\a")]
    [InlineData("X-Forwarded-Uri", "http://ws-one.localhost:8080/")]
    [InlineData("X-Forwarded-Uri", "")]
    [InlineData("X-Forwarded-Host", "ws-one.localhost, ws-two.localhost")]
    [InlineData("X-Forwarded-Host", "ws-one.localhost:80:80")]
    [InlineData("X-Forwarded-Host", "ws-one.localhost/x")]
    [InlineData("X-Forwarded-Host", "")]
    [InlineData("X-Forwarded-Proto", "gopher")]
    [InlineData("X-Forwarded-Proto", "")]
    [InlineData("X-Forwarded-Method", "GET /")]
    [InlineData("X-Forwarded-Method", "CONNECT")]
    [InlineData("X-Forwarded-Method", "get")]
    [InlineData("X-Forwarded-Method", "")]
    [InlineData("X-Forwarded-For", "nobody")]
    public async Task UnreadableQuestion_IsRefused(string header, string value)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser, more: (header, value));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("X-Forwarded-Uri: /other")]
    [InlineData("X-Forwarded-Host: ws-two.localhost")]
    [InlineData("X-Forwarded-Method: HEAD")]
    [InlineData("X-Forwarded-Proto: https")]
    [InlineData("X_Forwarded_Proto: https")] // V2
    [InlineData("X_Forwarded_Host: ws-two.localhost")]
    [InlineData("X_Workspace_Identity: forged")]
    public async Task DoubledOrDisguisedHeader_IsRefused(string line)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        var answer = await edge.RawAsync(
            "GET /auth/forward/ws-one HTTP/1.1\r\nHost: berth-edge.test\r\nConnection: close\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: "
                + "http\r\n"
            + $"X-Forwarded-Host: ws-one.localhost\r\nX-Forwarded-Uri: /\r\nCookie: "
            + $"{browser.CookieHeader(EdgeFixture.WorkspaceHost)}\r\n{line}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
    }

    // V3: forwarded headers that the edge does not define change nothing.
    [Fact]
    public async Task OtherForwardedHeaders_ChangeNothing()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        (string, string)[] noise =
        [
            ("X-Forwarded-Prefix", "/public"), ("X-Forwarded-User", "admin"), ("X-Forwarded-Server", "evil"), ("X-Forwarded-Port", "1"),
            ("X-Original-URL", "/public"), ("X-Original-Method", "OPTIONS"), ("Forwarded", "host=ws-two.localhost"),
                ("X-Workspace-Identity", "forged"),
        ];

        using var known = await AskAsync(edge, browser, more: noise);
        using var stranger = await AskAsync(edge, null, more: [.. noise, ("Accept", "application/json")]);

        Assert.Equal("user1", Claims(known.Headers.GetValues("X-Workspace-Identity").Single()).GetProperty("sub").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
    }

    // V5: forwarded headers of anybody else have no effect, and the default is to trust nobody.
    [Theory]
    [InlineData(null)]
    [InlineData("10.0.0.0/8")]
    public async Task UntrustedPeer_Gets403AndIsLoggedOnce(string? network)
    {
        var log = new ListLog();
        await using var edge = await StartAsync(s => s.AddSingleton<ILoggerProvider>(log), network is null ? [] : [network]);
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser);
        using var again = await AskAsync(edge, browser);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(answer.Headers.Contains("X-Workspace-Identity"));
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
        var line = Assert.Single(log.Lines, l => l.Contains("TrustedProxies", StringComparison.Ordinal));
        Assert.Contains("/auth/forward", line, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/.berth")]
    [InlineData("/.berth/session?ticket=x")]
    [InlineData("/%2eberth/session")]
    [InlineData("/.berth/progress")]
    public async Task OwnPathsOfAWorkspaceHost_NeverReachTheWorkspace(string uri)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser, uri: uri);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("example.com")]
    [InlineData("a.ws-one.localhost")]
    [InlineData("evil-localhost")]
    public async Task HostThatIsNoWorkspace_DoesNotPass(string host)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser, host: host);

        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    // V11: one workspace, whatever the spelling of its host.
    [Theory]
    [InlineData("WS-One.localhost")]
    [InlineData("ws-one.localhost.")]
    [InlineData("ws-one.localhost:8080")]
    public async Task SpellingOfTheHost_ChangesNothing(string host)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser, host: host);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    // A proxy's route is made for one workspace: whatever it was made to believe of the host, it asks about that one or gets no answer.
    [Theory]
    [InlineData("/ws-two")]
    [InlineData("/ws-one/")]
    [InlineData("/ws-one/more")]
    [InlineData("/ws-one?x")]
    [InlineData("/WS-ONE")]
    [InlineData("/")]
    [InlineData("")]
    public async Task AddressOfAnotherWorkspaceOrNone_IsRefused(string more)
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);

        using var answer = await AskAsync(edge, browser, address: Address + more);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.False(answer.Headers.Contains("X-Workspace-Identity"));
    }

    // Under the public names the path is an ordinary one: a page that is not there, and whatever the workspace has.
    [Fact]
    public async Task PublicNames_DoNotServeIt()
    {
        await using var edge = await StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        using var own = await AskAsync(edge, browser, address: $"{EdgeFixture.Origin}/auth/forward", host: "localhost");
        using var workspace = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/auth/forward");

        Assert.Equal(HttpStatusCode.NotFound, own.StatusCode);
        Assert.False(own.Headers.Contains("X-Workspace-Identity"));
        Assert.Equal("/auth/forward", edge.Upstream.Requests.Single().Target);
    }

    private static Task<EdgeFixture> StartAsync(Action<IServiceCollection>? services = null, string[]? trusted = null) =>
        EdgeFixture.StartAsync(options: o => o with { TrustedProxies = trusted ?? ["127.0.0.1/32"] }, services: services);

    // What Traefik sends: GET, the client's headers without the hop-by-hop ones, and the request in X-Forwarded headers.
    private static async Task<HttpResponseMessage> AskAsync(
        EdgeFixture edge, Browser? browser, string method = "GET", string host = EdgeFixture.WorkspaceHost, string uri = "/",
            string proto = "http",
        string? address = null, params (string Name, string Value)[] more)
    {
        using var client = new HttpMessageInvoker(edge.NewHandler());
        using var question = new HttpRequestMessage(
            HttpMethod.Get, address ?? $"{Address}/{host.Split('.')[0].ToLowerInvariant()}");
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["X-Forwarded-Method"] = method,
            ["X-Forwarded-Proto"] = proto,
            ["X-Forwarded-Host"] = host,
            ["X-Forwarded-Uri"] = uri,
            ["X-Forwarded-For"] = "203.0.113.9",
        };
        if (browser?.CookieHeader(EdgeFixture.WorkspaceHost) is { Length: > 0 } cookies)
        {
            headers["Cookie"] = cookies;
        }

        foreach (var (name, value) in more)
        {
            headers[name] = value;
        }

        foreach (var (name, value) in headers)
        {
            question.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(question, CancellationToken.None);
    }

    private static JsonElement Claims(string token)
    {
        var body = token.Split('.')[1].Replace('-', '+').Replace('_', '/');
        using var document = JsonDocument.Parse(
            Encoding.UTF8.GetString(Convert.FromBase64String(body.PadRight((body.Length + 3) / 4 * 4, '='))));
        return document.RootElement.Clone();
    }

    /// <summary>A page that says 200, as the product's does.</summary>
    private sealed class CheerfulProgressPage : IProgressPage
    {
        public Task ShowAsync(Microsoft.AspNetCore.Http.HttpContext context, WorkspaceAccess access) =>
            Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, "soon");

        public Task<bool> TryHandleReservedPathAsync(Microsoft.AspNetCore.Http.HttpContext context, WorkspaceAccess access) =>
            Task.FromResult(false);
    }

    private sealed class ListLog : ILoggerProvider, ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) =>
            Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
