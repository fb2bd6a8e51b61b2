using System.Net;
using System.Net.WebSockets;
using System.Text;
using Berth.Accounts;
using Berth.Edge.Tests.Api;

namespace Berth.Edge.Tests.Proxy;

/// <summary>Personal access tokens on workspaces' hosts.</summary>
public class WorkspaceTokenTests
{
    [Fact]
    public async Task Token_WithTheScope_UsesTheWorkspace_AndIsItsPerson()
    {
        await using var place = await PlaceAsync();
        var (_, secret) = await place.CreateAsync("workspace");

        using var page = await place.GetAsync("/files", secret);
        using var socket = await place.ConnectAsync(secret);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("/files", place.Upstream.Requests.First().Target);
        Assert.Equal(WebSocketState.Open, socket.State);
        Assert.All(place.Upstream.Requests, r => Assert.DoesNotContain("Authorization", r.Headers.Keys));
    }

    [Theory]
    [InlineData("api:read")]
    [InlineData("api:write")]
    [InlineData("proxy")]
    [InlineData("vault")]
    [InlineData("admin")]
    public async Task Token_WithoutTheScope_Is403AndSaysWhichOne(string scope)
    {
        await using var place = await PlaceAsync();
        var (_, secret) = await place.CreateAsync(scope);

        using var page = await place.GetAsync("/", secret);
        using var socket = await place.ConnectAsync(secret);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (page.StatusCode, socket.HttpStatusCode));
        Assert.Equal("Bearer error=\"insufficient_scope\", scope=\"workspace\"", page.Headers.WwwAuthenticate.ToString());
        Assert.Empty(place.Upstream.Requests);
    }

    [Fact]
    public async Task Token_WithTheScope_DoesNothingBesides()
    {
        await using var place = await PlaceAsync();
        var (_, secret) = await place.CreateAsync("workspace");

        using var start = await place.SendAsync(HttpMethod.Post, "/.berth/start", secret);
        using var progress = await place.GetAsync("/.berth/progress", secret);
        using var api = await place.SendAsync(HttpMethod.Get, $"{ProductFixture.Origin}/api/workspaces", secret);

        Assert.All([start, progress, api], a => Assert.Equal(HttpStatusCode.Forbidden, a.StatusCode));
    }

    // A token of an administrator is that of anybody, unless it has the scope.
    [Theory]
    [InlineData("user2", false, HttpStatusCode.Forbidden)]
    [InlineData("admin", false, HttpStatusCode.Forbidden)]
    [InlineData("admin", true, HttpStatusCode.OK)]
    public async Task Token_OfSomebodyElse_OpensWhatThePersonMayOpen(string subject, bool adminScope, HttpStatusCode expected)
    {
        await using var place = await PlaceAsync(subject);
        var (_, secret) = await place.CreateAsync(adminScope ? ["workspace", "admin"] : ["workspace"]);

        using var page = await place.GetAsync("/", secret);

        Assert.Equal(expected, page.StatusCode);
    }

    [Fact]
    public async Task OpenSocket_TokenRevoked_Ends()
    {
        await using var place = await PlaceAsync();
        var (id, secret) = await place.CreateAsync("workspace");
        var (_, other) = await place.CreateAsync("workspace");
        using var socket = await place.ConnectAsync(secret);
        using var stays = await place.ConnectAsync(other);
        Assert.Equal(2, place.Edge.Get<IOpenConnections>().Count);

        using var revoked = await place.Browser.SendAsync($"{ProductFixture.Origin}/api/me/tokens/{id}", HttpMethod.Delete,
            headers: ("Origin", ProductFixture.Origin));

        await EndsAsync(socket);
        using var after = await place.GetAsync("/", secret);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.Equal(WebSocketState.Open, stays.State);
        await ProductFixture.Until(() => place.Edge.Get<IOpenConnections>().Count == 1);
    }

    [Fact]
    public async Task OpenSocket_PersonDisabled_Ends()
    {
        await using var place = await PlaceAsync();
        var (_, secret) = await place.CreateAsync("workspace");
        using var socket = await place.ConnectAsync(secret);

        Assert.True(await place.Edge.Get<IAccountStore>().SetDisabledAsync(new(place.Edge.Provider.Issuer, "user1"), true, default));

        await EndsAsync(socket);
        using var after = await place.GetAsync("/", secret);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    // Programs do not wake what sleeps, whatever they accept.
    [Fact]
    public async Task NotReady_Token_WakesNothing()
    {
        await using var place = await PlaceAsync();
        var (_, secret) = await place.CreateAsync("workspace");
        var name = place.Edge.NameOf("user1");
        place.Edge.Kube.Put(place.Edge.Kube.Find<Berth.Resources.UserWorkspace>(name)! with
        {
            Spec = place.Edge.Kube.Find<Berth.Resources.UserWorkspace>(name)!.Spec with { DesiredState = "Stopped" },
        });
        await ProductFixture.Until(() => place.Edge.Get<IWorkspaceDirectory>()
            .TryFindByHost($"{name}.localhost", out var entry) && !entry.IsReady);

        using var page = await place.GetAsync("/", secret);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.StatusCode);
        Assert.Equal("Stopped", place.Edge.Kube.Find<Berth.Resources.UserWorkspace>(name)!.Spec.DesiredState);
    }

    internal static async Task EndsAsync(ClientWebSocket socket)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
        {
            var message = await socket.ReceiveAsync(new byte[16], deadline.Token);
            if (message.MessageType == WebSocketMessageType.Close)
            {
                throw new WebSocketException("closed");
            }
        });
    }

    private static async Task<Place> PlaceAsync(string subject = "user1")
    {
        var edge = await ProductFixture.StartAsync();
        var upstream = await Upstream.StartAsync();
        var owner = await edge.SignedInAsync("user1");
        using (await owner.FollowAsync($"{ProductFixture.Origin}/start"))
        {
        }

        await ProductFixture.Until(() => edge.Kube.Find<Berth.Resources.UserWorkspace>(edge.NameOf("user1")) is not null);
        edge.MakeReady(edge.NameOf("user1"), upstream.Port);
        await ProductFixture.Until(() => edge.Get<IWorkspaceDirectory>()
            .TryFindByHost($"{edge.NameOf("user1")}.localhost", out var entry) && entry.IsReady);
        return new Place(edge, upstream, subject == "user1" ? owner : await edge.SignedInAsync(subject));
    }

    private sealed record Place(ProductFixture Edge, Upstream Upstream, Browser Browser) : IAsyncDisposable
    {
        public string Origin => Edge.HostOf("user1");

        public async Task<(string Id, string Secret)> CreateAsync(params string[] scopes)
        {
            var body = $$"""{"name":"t","scopes":[{{string.Join(',', scopes.Select(s => $"\"{s}\""))}}]}""";
            if (scopes is ["admin"])
            {
                // Only administrators can have it; that is another test's matter.
                var admin = await Edge.SignedInAsync("admin");
                return await ReadAsync(admin, body);
            }

            return await ReadAsync(Browser, body);
        }

        public Task<HttpResponseMessage> GetAsync(string path, string secret) => SendAsync(HttpMethod.Get, path, secret);

        public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string secret) => Edge.NewBrowser().SendAsync(
            path.StartsWith('/') ? Origin + path : path, method, headers: [("Authorization", "Bearer " + secret), ("Accept", "*/*")]);

        public async Task<ClientWebSocket> ConnectAsync(string secret)
        {
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("Authorization", "Bearer " + secret);
            socket.Options.CollectHttpResponseDetails = true;
            try
            {
                await socket.ConnectAsync(new Uri(Origin.Replace("http:", "ws:", StringComparison.Ordinal) + "/socket"),
                    new HttpMessageInvoker(Edge.NewHandler()), CancellationToken.None);
            }
            catch (WebSocketException)
            {
                // The caller looks at HttpStatusCode.
            }

            return socket;
        }

        public async ValueTask DisposeAsync()
        {
            await Edge.DisposeAsync();
            await Upstream.DisposeAsync();
        }

        private static async Task<(string Id, string Secret)> ReadAsync(Browser browser, string body)
        {
            using var answer = await browser.SendAsync($"{ProductFixture.Origin}/api/me/tokens", HttpMethod.Post,
                new StringContent(body, Encoding.UTF8, "application/json"), ("Origin", ProductFixture.Origin));
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            var made = await WorkspaceApiTests.JsonAsync(answer);
            return ((string)made["id"]!, (string)made["token"]!);
        }
    }
}
