using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Berth.Operator;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Traefik;

/// <summary>
/// The two ends of forward-auth against each other: the routes and middlewares that the operator writes, in a model of Traefik, before the
/// real edge and a real application. Either end alone can be right and the pair wrong.
/// </summary>
public class TraefikTests
{
    private const string Files = $"{EdgeFixture.WorkspaceOrigin}/files/a%20b?x=1";

    public static TheoryData<TraefikVersion> Versions => [TraefikVersion.V30, TraefikVersion.V37];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Stranger_SignsInByTheRoutesAlone_AndLandsInTheApplication(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = site.NewBrowser();
        site.Edge.Provider.Subject = "user1";

        using var first = await browser.GetAsync(Files);
        Assert.Equal(HttpStatusCode.Found, first.StatusCode);
        Assert.StartsWith($"{EdgeFixture.Origin}/auth/workspace?host=ws-one.localhost&return=%2Ffiles%2Fa%2520b%3Fx%3D1",
            first.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Empty(site.Edge.Upstream.Requests);
        using var end = await browser.FollowAsync(Files);

        Assert.Equal("from the workspace", await end.Content.ReadAsStringAsync());
        var seen = site.Edge.Upstream.Requests.Single();
        Assert.Equal("/files/a%20b?x=1", seen.Target);
        Assert.Equal(("user1", "owner"), Identity(seen));
        Assert.False(seen.Headers.ContainsKey("Cookie"));
        Assert.True(site.Traefik.Questions > 1);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Headers_OfTheClient_NeverTellWhoComes(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        string[] names =
        [
            "X-Workspace-Identity", "x-workspace-identity", "Workspace-Identity", "X-Forwarded-User", "X-Forwarded-Email",
            "X-Forwarded-Groups",
            "X-Forwarded-Access-Token", "X-Auth-Request-User", "Remote-User", "X-Remote-User", "X-WebAuth-User", "X-User", "Forwarded",
            "X-Original-URL", "X-Forwarded-Prefix", "OIDC-Claim-Sub", "X-Pomerium-Jwt-Assertion", "X-Berth-Anything", "True-Client-IP",
        ];
        foreach (var name in names)
        {
            var answer = await site.RawAsync("/", $"{name}: forged", $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}");

            Assert.Equal((name, 200), (name, answer.Status));
            var seen = site.Edge.Upstream.Requests.Last();
            Assert.DoesNotContain(seen.Headers, h => h.Value.Any(v => v.Contains("forged", StringComparison.Ordinal)));
            Assert.Equal(("user1", "owner"), Identity(seen));
            Assert.Equal([TraefikModel.Client], seen.Headers["X-Forwarded-For"]);
            Assert.Equal(["ws-one.localhost:8080"], seen.Headers["X-Forwarded-Host"]);
        }
    }

    // Traefik keeps names with underscores unless it is told otherwise (CVE-2026-39858, CVE-2025-64484): the edge does not let them pass.
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Headers_WithUnderscores_AreRefusedBeforeTheApplication(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        site.Edge.Upstream.Requests.Clear();
        foreach (var name in (string[])["X_Workspace_Identity", "X_Forwarded_User", "X-Forwarded_Proto", "x_forwarded_host", "Remote_User"])
        {
            var answer = await site.RawAsync("/", $"{name}: forged", $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}");

            Assert.Equal((name, 400), (name, answer.Status));
        }

        Assert.Empty(site.Edge.Upstream.Requests);
    }

    // CVE-2024-45410: what Connection names is dropped on the way. The application may miss the identity then, but never sees another.
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Headers_NominatedByConnection_AreNeverTheClients(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        foreach (var name in (string[])["X-Workspace-Identity", "X-Forwarded-Host", "Cookie", "Authorization"])
        {
            site.Edge.Upstream.Requests.Clear();
            await site.RawAsync("/", $"Connection: close, {name}", "X-Workspace-Identity: forged", "X-Forwarded-Host: ws-two.localhost",
                $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}");

            foreach (var seen in site.Edge.Upstream.Requests)
            {
                Assert.DoesNotContain(seen.Headers, h => h.Value.Any(v => v.Contains("forged", StringComparison.Ordinal)));
                Assert.DoesNotContain("berth", string.Concat(seen.Headers.GetValueOrDefault("Cookie", [])), StringComparison.Ordinal);
                Assert.True(!seen.Headers.ContainsKey("X-Workspace-Identity") || Identity(seen) == ("user1", "owner"));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Denied_TheApplicationNeverHearsOfIt(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        site.Edge.Upstream.Requests.Clear();
        var cookie = $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}";

        var stranger = await site.RawAsync("/", "Accept: application/json");
        var forged = await site.RawAsync(
            "/", "Accept: application/json", "X-Forwarded-Host: ws-one.localhost", "X-Forwarded-Uri: /.berth/");
        var post = await site.RawAsync("/", "POST", cookie, "Origin: http://evil.example", "Content-Length: 6\r\n\r\nsecret");
        var bearer = await site.RawAsync("/", cookie, "Authorization: Bearer garbage");
        var ambiguous = await site.RawAsync("/a%2fb", cookie);
        site.Edge.Directory.Put(site.Edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" });
        var other = await site.RawAsync("/", cookie);

        Assert.Equal((401, 401, 403, 401, 400, 403),
            (stranger.Status, forged.Status, post.Status, bearer.Status, ambiguous.Status, other.Status));
        Assert.Equal("Bearer error=\"invalid_token\"", bearer["WWW-Authenticate"]);
        Assert.Contains("loginUrl", stranger.Text, StringComparison.Ordinal);
        Assert.Empty(site.Edge.Upstream.Requests);
    }

    // Dot segments are resolved by newer versions before anybody is asked, and refused by the edge otherwise: never two readings.
    [Theory]
    [InlineData(TraefikVersion.V30, "/a/../.berth/progress")]
    [InlineData(TraefikVersion.V37, "/a/../.berth/progress")]
    [InlineData(TraefikVersion.V30, "/%2eberth/progress")]
    [InlineData(TraefikVersion.V37, "/%2eberth/progress")]
    [InlineData(TraefikVersion.V30, "/a/%2e%2e/.berth/progress")]
    [InlineData(TraefikVersion.V37, "/a/%2e%2e/.berth/progress")]
    [InlineData(TraefikVersion.V37, "//.berth/progress")]
    public async Task OwnPaths_InAnySpelling_NeverReachTheApplication(TraefikVersion version, string path)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        site.Edge.Upstream.Requests.Clear();

        var answer = await site.RawAsync(path, $"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}");

        Assert.InRange(answer.Status, 400, 404);
        Assert.Empty(site.Edge.Upstream.Requests);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Authorization_TheEdgesIsTakenOut_TheApplicationsArrives(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        site.Edge.Upstream.Requests.Clear();
        site.Edge.Provider.Subject = "user1";
        var token = site.Edge.Provider.Sign(site.Edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");

        var byToken = await site.RawAsync("/", $"Authorization: Bearer {token}");
        var basic = await site.RawAsync("/", "Authorization: Basic dXNlcjpwYXNz",
            $"Cookie: app=1; {browser.CookieHeader(EdgeFixture.WorkspaceHost)}; theme=dark");

        Assert.Equal((200, 200), (byToken.Status, basic.Status));
        var (first, second) = (site.Edge.Upstream.Requests.First(), site.Edge.Upstream.Requests.Last());
        Assert.False(first.Headers.ContainsKey("Authorization"));
        Assert.Equal(("user1", "owner"), Identity(first));
        Assert.Equal(["Basic dXNlcjpwYXNz"], second.Headers["Authorization"]);
        Assert.Equal(["app=1; theme=dark"], second.Headers["Cookie"]);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Session_InUse_IsRenewedInTheBrowser_BesideTheApplicationsCookies(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        var before = browser.Cookies[(EdgeFixture.WorkspaceHost, "berth-ws")];
        site.Edge.Upstream.Answer.Add(("Set-Cookie", "app=2; Path=/"));
        site.Edge.Clock.Advance(TimeSpan.FromHours(5));

        using var renewing = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        site.Edge.Clock.Advance(TimeSpan.FromHours(7));
        using var later = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");

        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
        Assert.NotEqual(before, browser.Cookies[(EdgeFixture.WorkspaceHost, "berth-ws")]);
        Assert.Equal("2", browser.Cookies[(EdgeFixture.WorkspaceHost, "app")]);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Streams_GoThroughTheEdge_AndEndWithTheSession(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version);
        var browser = await site.EnterAsync();
        var questions = site.Traefik.Questions;
        using var foreign = await browser.ConnectAsync("ws://ws-one.localhost:8080/socket", "http://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, foreign.HttpStatusCode);
        using var stranger = await site.NewBrowser().ConnectAsync("ws://ws-one.localhost:8080/socket", EdgeFixture.WorkspaceOrigin);
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.HttpStatusCode);

        using var socket = await browser.ConnectAsync("ws://ws-one.localhost:8080/socket", EdgeFixture.WorkspaceOrigin);
        await socket.SendAsync(Encoding.UTF8.GetBytes("hello"), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[64];
        var message = await socket.ReceiveAsync(buffer, CancellationToken.None);
        Assert.Equal("echo hello", Encoding.UTF8.GetString(buffer, 0, message.Count));
        Assert.Equal(questions, site.Traefik.Questions);
        Assert.Equal(1, site.Edge.Get<IOpenConnections>().Count);

        using var events = await site.OpenAsync("/events", ("Accept", "text/event-stream"),
            ("Cookie", browser.CookieHeader(EdgeFixture.WorkspaceHost)));
        Assert.Equal(2, site.Edge.Get<IOpenConnections>().Count);
        using (await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]))
        {
        }

        await Proxy.WorkspaceTokenTests.EndsAsync(socket);
        await ProductFixture.Until(() => site.Edge.Get<IOpenConnections>().Count == 0);
    }

    // Until the pod is ready the whole host is the edge's: its progress page, and no question.
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task NotReady_TheHostIsTheEdges(TraefikVersion version)
    {
        await using var site = await Site.StartAsync(version, podReady: false);
        site.Edge.Directory.Put(site.Edge.Directory[EdgeFixture.WorkspaceHost] with { Target = null, Phase = "Starting" });
        var browser = site.NewBrowser();
        site.Edge.Provider.Subject = "user1";

        using var page = await browser.FollowAsync($"{EdgeFixture.WorkspaceOrigin}/");

        Assert.Contains("Starting", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, site.Traefik.Questions);
        Assert.Empty(site.Edge.Upstream.Requests);
    }

    private static (string? Subject, string? Role) Identity(Received seen)
    {
        using var claims = JsonDocument.Parse(StrictBase64Url.Decode(seen.Headers["X-Workspace-Identity"].Single().Split('.')[1])!);
        return (claims.RootElement.Text("sub"), claims.RootElement.Text("role"));
    }

    internal static Blueprint BlueprintOf(string name, bool podReady, RoutingMode routing = RoutingMode.ForwardAuth,
        string origin = EdgeFixture.Origin, string domain = "localhost", IngressRouteTls? tls = null,
        IReadOnlyList<string>? entries = null) =>
        Blueprint.For(
            new UserWorkspace
            {
                Metadata = new ObjectMeta { Name = name, Namespace = "berth", Uid = "uid-1" },
                Spec = new UserWorkspaceSpec
                {
                    Owner = new WorkspaceOwner { Issuer = "https://id.example.test", Subject = "user1" },
                    Template = new TemplateReference { Name = "studio" },
                    Storage = new WorkspaceStorage(),
                },
            },
            new WorkspaceTemplate
            {
                Metadata = new ObjectMeta { Name = "studio", Namespace = "berth" },
                Spec = new WorkspaceTemplateSpec { Image = "studio:1", Storage = new TemplateStorage { Size = "1Gi", MountPath = "/w" } },
            },
            new BlueprintSettings
            {
                Urls = new WorkspaceUrls(new Uri(origin), domain),
                IdentityIssuer = origin,
                IdentityJwks = "http://berth-edge.test/.well-known/workspace-identity/jwks.json",
                Edge = new EdgeService("berth", "berth-edge", 80, 8080),
                ForwardAuthAddress = "http://berth-edge.test/auth/forward",
                Routing = routing,
                Tls = tls,
                EntryPoints = entries ?? [],
            },
            new BlueprintFacts { TraefikServed = true, PodReady = podReady });

    /// <summary>Traefik, edge and application.</summary>
    private sealed record Site(EdgeFixture Edge, TraefikModel Traefik) : IAsyncDisposable
    {
        public static async Task<Site> StartAsync(TraefikVersion version, bool podReady = true)
        {
            var edge = await EdgeFixture.StartAsync(options: Ways.Trusting);
            var blueprint = BlueprintOf("ws-one", podReady);

            // The installation's own route; it is no matter of the operator's.
            var own = new IngressRoute
            {
                Spec = new IngressRouteSpec
                {
                    Routes =
                    [
                        new Route { Match = "Host(`localhost`)", Priority = 1, Services = [new RouteService { Name = "berth-edge" }] },
                    ],
                },
            };
            var services = new Dictionary<string, int> { ["berth-edge"] = edge.Port, ["ws-one"] = edge.Upstream.Port };
            return new Site(edge,
                await TraefikModel.StartAsync(version, [blueprint.Route!, own], blueprint.Middlewares, services, edge.Port));
        }

        public Browser NewBrowser() => new(Loopback.Handler(Traefik.Port));

        public async Task<Browser> EnterAsync()
        {
            var browser = NewBrowser();
            Edge.Provider.Subject = "user1";
            using var answer = await browser.FollowAsync($"{EdgeFixture.WorkspaceOrigin}/");
            Assert.Equal("from the workspace", await answer.Content.ReadAsStringAsync());
            return browser;
        }

        public Task<RawAnswer> RawAsync(string target, params string[] lines)
        {
            var method = lines is ["POST", ..] ? "POST" : "GET";
            return SendAsync($"{method} {target} HTTP/1.1\r\nHost: ws-one.localhost:8080\r\n"
                + (Array.Exists(lines, l => l.StartsWith("Connection", StringComparison.Ordinal)) ? "" : "Connection: close\r\n")
                + string.Join("\r\n", lines.Where(l => l != "POST"))
                + (lines[^1].Contains("\r\n\r\n", StringComparison.Ordinal) ? "" : "\r\n\r\n"));
        }

        public async Task<HttpResponseMessage> OpenAsync(string path, params (string Name, string Value)[] headers)
        {
            var client = new HttpClient(Loopback.Handler(Traefik.Port));
            using var request = new HttpRequestMessage(HttpMethod.Get, EdgeFixture.WorkspaceOrigin + path);
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }

        public async ValueTask DisposeAsync()
        {
            await Traefik.DisposeAsync();
            await Edge.DisposeAsync();
        }

        private async Task<RawAnswer> SendAsync(string request)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Traefik.Port);
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
            using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            return RawAnswer.Read(await reader.ReadToEndAsync(deadline.Token));
        }
    }
}
