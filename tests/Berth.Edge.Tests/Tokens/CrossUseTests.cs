using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Edge.Tests.Vault;
using Berth.Resources;
using Npgsql;
using Testing;

namespace Berth.Edge.Tests.Tokens;

/// <summary>
/// Everything that is signed, encrypted or random and proves something, in every place that takes such a thing: it works where it belongs,
/// and nowhere else (CVE-2024-47616).
/// </summary>
public class CrossUseTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private const string Hop = "AAAAAAAAAAAAAAAAAAAAAA";

    // What is accepted where. Everything that is not in this table is refused.
    private static readonly (string Place, string Token)[] Good =
    [
        ("API bearer", "access token"), ("API bearer", "personal token"),
        ("workspace bearer", "access token"), ("workspace bearer", "personal token"),
        ("workspace upgrade bearer", "access token"), ("workspace upgrade bearer", "personal token"),
        ("session cookie", "session cookie"), ("workspace cookie", "workspace cookie"), ("ticket", "ticket"),
        ("flow cookie", "flow cookie"),
        ("form", "form token"), ("logout", "logout token"), ("consent state", "consent state"), ("identity header", "workspace identity"),
    ];

    [SkippableFact]
    public async Task EveryToken_InEveryPlace_WorksWhereItBelongsAlone()
    {
        var database = "";
        await using var edge = await VaultFixture.StartAsync(postgres, o =>
        {
            database = o.Database.ConnectionString!;
            return o;
        });
        await using var upstream = await Upstream.StartAsync();
        var site = await SiteAsync(edge, upstream);
        var tokens = await TokensAsync(edge, site, database);
        var wrong = new List<string>();
        foreach (var (place, takes) in Places(edge, site))
        {
            foreach (var (name, make) in tokens)
            {
                var accepted = await takes(await make());
                if (accepted != Good.Contains((place, name)))
                {
                    wrong.Add($"{name} as {place}: {(accepted ? "taken" : "refused")}");
                }
            }
        }

        Assert.Empty(wrong);
    }

    // A token of the provider's, each in order for its own use, where a sign-in expects the ID token of this very flow.
    [Fact]
    public async Task EverySignedToken_AsTheIdTokenOfASignIn_SignsNobodyIn()
    {
        await using var edge = await EdgeFixture.StartAsync();
        string? earlier = null;
        edge.Provider.OnIdTokenText = token => earlier = token;
        await edge.SignedInAsync("user1");
        var claims = edge.Provider.AccessTokenClaims(FakeProvider.ClientId);
        var identity = edge.Get<WorkspaceIdentitySigner>().Sign(new WorkspaceAccess(edge.Directory[EdgeFixture.WorkspaceHost],
            new Caller { Kind = CallerKind.Session, Issuer = edge.Provider.Issuer, Subject = "user1", ExpiresAt = DateTimeOffset.MaxValue },
            "owner"));
        foreach (var token in (string[])
            [earlier!, edge.Provider.Sign(claims, "at+jwt"), edge.Provider.Sign(claims, "JWT"), identity, "garbage",
            edge.Provider.Sign(Logout(edge.Provider.Issuer, edge.Clock.GetUtcNow()), "logout+jwt")])
        {
            edge.Provider.OnIdTokenText = _ => token;
            var browser = edge.NewBrowser();
            using var end = await browser.FollowAsync($"{EdgeFixture.Origin}/login");

            Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name == "berth");
            Assert.NotEqual(HttpStatusCode.OK, end.StatusCode);
        }
    }

    private static async Task<Site> SiteAsync(ProductFixture edge, Upstream upstream)
    {
        var browser = await edge.SignedInAsync("user1");
        using (await browser.FollowAsync($"{ProductFixture.Origin}/start"))
        {
        }

        var name = edge.NameOf("user1");
        await ProductFixture.Until(() => edge.Kube.Find<UserWorkspace>(name) is not null);
        edge.MakeReady(name, upstream.Port);
        WorkspaceEntry? entry = null;
        await ProductFixture.Until(() => edge.Get<IWorkspaceDirectory>().TryFindByHost($"{name}.localhost", out entry) && entry.IsReady);
        using (await browser.FollowAsync(edge.HostOf("user1") + "/"))
        {
        }

        var (flow, state, _) = await BeginAsync(edge);
        return new Site(browser, entry!) { FlowName = flow, State = state };
    }

    private static async Task<Dictionary<string, Func<Task<string>>>> TokensAsync(ProductFixture edge, Site site, string database)
    {
        var (browser, entry) = (site.Browser, site.Entry);
        var refresh = "";
        edge.Provider.OnTokenAnswer = answer => refresh = (string)(answer["refresh_token"] = $"rt-{Guid.NewGuid():n}")!;
        string? idToken = null;
        edge.Provider.OnIdTokenText = token => idToken = token;
        var stored = await VaultFixture.StoredAsync(browser);
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("SELECT refresh_token FROM berth.vault_tokens LIMIT 1");
        var envelope = StrictBase64Url.Encode((byte[])(await command.ExecuteScalarAsync())!);
        using var wish = new StringContent(
            """{"name":"t","scopes":["api:read","api:write","workspace"]}""", Encoding.UTF8, "application/json");
        using var made = await browser.SendAsync(
            $"{ProductFixture.Origin}/api/me/tokens", HttpMethod.Post, wish, ("Origin", ProductFixture.Origin));
        var personal = (string)(await VaultFixture.JsonAsync(made))["token"]!;
        var session = SessionCodec.Read(edge.Get<CookieProtector>()
            .Unprotect(ProtectionPurpose.EdgeSession, "berth", browser.Cookies[("localhost", "berth")])!)!;
        var caller = edge.Get<SessionCookies>().ToCaller(session);
        var now = TimeProvider.System.GetUtcNow();
        var bound = edge.Provider.AccessTokenClaims(ApiAccess.Audience);
        bound["kubernetes.io"] = new JsonObject
        {
            ["namespace"] = ProductFixture.Namespace,
            ["pod"] = new JsonObject { ["name"] = entry.Name, ["uid"] = "uid-1" },
        };
        return new Dictionary<string, Func<Task<string>>>
        {
            ["session cookie"] = () => Task.FromResult(browser.Cookies[("localhost", "berth")]),
            ["workspace cookie"] = () => Task.FromResult(browser.Cookies[(entry.Host, "berth-ws")]),
            ["ticket"] = () => Task.FromResult(
                edge.Get<WorkspaceTickets>().Issue(entry.Host, WorkspaceTickets.HashOfHop(Hop), "/", session)),
            ["hop cookie"] = () => Task.FromResult(Hop),
            ["flow cookie"] = async () =>
            {
                (site.FlowName, site.State, var value) = await BeginAsync(edge);
                return value;
            },
            ["form token"] = () => Task.FromResult(edge.Get<CsrfTokens>().For(caller)),
            ["workspace identity"] = () => Task.FromResult(
                edge.Get<WorkspaceIdentitySigner>().Sign(new WorkspaceAccess(entry, caller, "owner"))),
            ["access token"] = () => Task.FromResult(edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt")),
            ["access token for another"] = () => Task.FromResult(
                edge.Provider.Sign(edge.Provider.AccessTokenClaims("https://other.example.test"), "at+jwt")),
            ["ID token"] = () => Task.FromResult(idToken!),
            ["logout token"] = () => Task.FromResult(edge.Provider.Sign(Logout(edge.Provider.Issuer, now), "logout+jwt")),
            ["refresh token"] = () => Task.FromResult(refresh),
            ["personal token"] = () => Task.FromResult(personal),
            ["service account token"] = () => Task.FromResult(edge.Provider.Sign(bound, null)),
            ["vault envelope"] = () => Task.FromResult(envelope),
            ["stored token's id"] = () => Task.FromResult(stored),
            ["consent state"] = async () =>
            {
                using var begun = await browser.CallAsync(HttpMethod.Get, "offline-token");
                var url = (string)(await VaultFixture.JsonAsync(begun))["consent_url"]!;
                return System.Web.HttpUtility.ParseQueryString(new Uri(url).Query)["state"]!;
            },
        };
    }

    private static Dictionary<string, Func<string, Task<bool>>> Places(ProductFixture edge, Site site)
    {
        var (browser, entry) = (site.Browser, site.Entry);
        var workspace = $"http://{entry.Host}:8080";
        return new Dictionary<string, Func<string, Task<bool>>>
        {
            ["API bearer"] = t => IsAsync(edge, $"{ProductFixture.Origin}/api/me", 200, ("Authorization", "Bearer " + t)),
            ["workspace bearer"] = t => IsAsync(edge, workspace + "/", 200, ("Authorization", "Bearer " + t)),
            ["workspace upgrade bearer"] = async t =>
            {
                using var socket = new System.Net.WebSockets.ClientWebSocket();
                socket.Options.SetRequestHeader("Authorization", "Bearer " + t);
                try
                {
                    using var http = new HttpMessageInvoker(edge.NewHandler());
                    await socket.ConnectAsync(new Uri($"ws://{entry.Host}:8080/socket"), http, CancellationToken.None);
                }
                catch (System.Net.WebSockets.WebSocketException)
                {
                    return false;
                }

                return true;
            },
            ["session cookie"] = t => IsAsync(edge, $"{ProductFixture.Origin}/api/me", 200, ("Cookie", $"berth={t}")),
            ["workspace cookie"] = t => IsAsync(edge, workspace + "/", 200, ("Cookie", $"berth-ws={t}")),
            ["ticket"] = t => IsAsync(
                edge, $"{workspace}/.berth/session?ticket={Uri.EscapeDataString(t)}", 303, ("Cookie", $"berth-hop={Hop}")),
            ["flow cookie"] = async t =>
            {
                // Accepted is what makes the edge redeem a code.
                var before = edge.Provider.TokenRequests;
                var issuer = Uri.EscapeDataString(edge.Provider.Issuer);
                await IsAsync(edge, $"{ProductFixture.Origin}/auth/callback?state={site.State}&code=x&iss={issuer}", 0,
                    ("Cookie", $"{site.FlowName}={t}"));
                (site.FlowName, site.State, _) = await BeginAsync(edge);
                return edge.Provider.TokenRequests > before;
            },
            ["form"] = async t =>
            {
                using var answer = await browser.SendAsync($"{ProductFixture.Origin}/tokens", HttpMethod.Post, new FormUrlEncodedContent(
                    [new("csrf", t), new("name", "x"), new("days", "wrong")]), ("Origin", ProductFixture.Origin));
                return answer.StatusCode != HttpStatusCode.Forbidden;
            },
            ["logout"] = async t =>
            {
                using var answer = await edge.NewBrowser().SendAsync($"{ProductFixture.Origin}/auth/backchannel-logout", HttpMethod.Post,
                    new FormUrlEncodedContent([new("logout_token", t)]));
                return answer.StatusCode == HttpStatusCode.OK;
            },
            ["consent state"] = async t =>
            {
                var before = edge.Provider.TokenRequests;
                using var answer = await browser.GetAsync(
                    $"{ProductFixture.Origin}{ConsentFlow.CallbackPath}?state={Uri.EscapeDataString(t)}&code=x"
                    + $"&iss={Uri.EscapeDataString(edge.Provider.Issuer)}");
                return edge.Provider.TokenRequests > before;
            },

            // What an application does with the header, by the published keys.
            ["identity header"] = t => Task.FromResult(
                JwsVerifier.Parse(t, [JwsAlgorithms.Es256], out var jws) == TokenError.None
                && jws!.Type == WorkspaceIdentitySigner.TokenType
                && JwsVerifier.Verify(jws, JwkSet.Parse(edge.Get<WorkspaceIdentitySigner>().Jwks)!) == TokenError.None),
        };
    }

    private static async Task<bool> IsAsync(ProductFixture edge, string url, int expected, params (string, string)[] headers)
    {
        using var answer = await edge.NewBrowser().GetAsync(url, [.. headers, ("Accept", "application/json")]);
        return (int)answer.StatusCode == expected;
    }

    private static async Task<(string Name, string State, string Value)> BeginAsync(ProductFixture edge)
    {
        var browser = edge.NewBrowser();
        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/login");
        var cookie = browser.Cookies.Single(c => c.Key.Name.StartsWith("berth-flow", StringComparison.Ordinal));
        return (cookie.Key.Name, System.Web.HttpUtility.ParseQueryString(answer.Headers.Location!.Query)["state"]!, cookie.Value);
    }

    // For a session that nobody has: it must end nothing that the other places need.
    private static JsonObject Logout(string issuer, DateTimeOffset now) => new()
    {
        ["iss"] = issuer,
        ["aud"] = FakeProvider.ClientId,
        ["iat"] = now.ToUnixTimeSeconds(),
        ["exp"] = now.ToUnixTimeSeconds() + 120,
        ["jti"] = Guid.NewGuid().ToString("n"),
        ["sid"] = "nobodys",
        ["events"] = new JsonObject { [LogoutTokenVerifier.Event] = new JsonObject() },
    };

    private sealed record Site(Browser Browser, WorkspaceEntry Entry)
    {
        public string FlowName { get; set; } = "";

        public string State { get; set; } = "";
    }
}
