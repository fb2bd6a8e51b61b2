using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests;

/// <summary>
/// What is known of a person is renewed while their session lasts (CVE-2021-41230: claims that changed at the provider were not used until
/// the next sign-in), from ID tokens that are verified like the first one.
/// </summary>
public class SessionRefreshTests
{
    private static readonly TimeSpan After = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task Claims_Young_NobodyIsAsked()
    {
        var tokens = new ScriptedTokens();
        await using var edge = await StartAsync(tokens);
        var browser = await edge.SignedInAsync("user1");

        edge.Clock.Advance(After * 0.5);
        Assert.Equal("Session user1 True", await WhoAsync(browser));

        Assert.Equal(0, tokens.Asked);
        Assert.Equal("rt-1", tokens.RefreshToken);
    }

    [Fact]
    public async Task Claims_InTheirLastPart_AreRenewedBesideTheRequest()
    {
        var answer = new TaskCompletionSource<SessionTokenAnswer>();
        var tokens = new ScriptedTokens { Answer = () => answer.Task };
        await using var edge = await StartAsync(tokens);
        var browser = await edge.SignedInAsync("user1");
        edge.Clock.Advance(After * 0.9);

        // Answered while the provider is not, and by the old claims.
        Assert.Equal("Session user1 True", await WhoAsync(browser));
        Assert.Equal("Session user1 True", await WhoAsync(browser));
        Assert.Equal(1, tokens.Asked);

        answer.SetResult(Token(edge, groups: []));
        await ProductFixture.Until(async () => await WhoAsync(browser) == "Session user1 False");
        Assert.Equal(1, tokens.Asked);
    }

    [Fact]
    public async Task Claims_TooOld_AreRenewedBeforeTheRequestIsDecided()
    {
        ScriptedTokens tokens = new();
        await using var edge = await StartAsync(tokens);
        tokens.Answer = () => Task.FromResult(Token(edge, groups: []));
        var browser = await edge.SignedInAsync("user1");
        edge.Clock.Advance(After);

        Assert.Equal("Session user1 False", await WhoAsync(browser));

        // The cookie has them now: another replica would know it too.
        var read = SessionCodec.Read(edge.Get<CookieProtector>().Unprotect(
            ProtectionPurpose.EdgeSession, "berth", browser.Cookies[("localhost", "berth")])!)!;
        Assert.Equal(edge.Clock.GetUtcNow(), read.ClaimsAt);
        Assert.False(read.IsAdministratorByClaim);
    }

    [Fact]
    public async Task Claims_Renewed_IsCounted()
    {
        var counted = new System.Collections.Concurrent.ConcurrentQueue<string?>();
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Name == "berth.edge.session.refreshes")
                {
                    own.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            // Other tests count too, under other names.
            if (Equals(tags[0].Value, "counted"))
            {
                counted.Enqueue(tags[1].Value as string);
            }
        });
        listener.Start();
        ScriptedTokens tokens = new();
        await using var edge = await StartAsync(tokens, o => o with { Key = "counted" });
        tokens.Answer = () => Task.FromResult(Token(edge, groups: []));
        var browser = await edge.SignedInAsync("user1");
        edge.Clock.Advance(After);
        await WhoAsync(browser);
        tokens.Answer = () => Task.FromResult(new SessionTokenAnswer { Kind = SessionTokenKind.Over, Detail = "gone" });
        edge.Clock.Advance(After);
        await WhoAsync(browser);

        Assert.Equal(["refreshed", "over"], counted);
    }

    [Fact]
    public async Task Cookie_OfBeforeTheRenewal_GetsTheNewClaimsAndNoSignOut()
    {
        ScriptedTokens tokens = new();
        await using var edge = await StartAsync(tokens);
        tokens.Answer = () => Task.FromResult(Token(edge, groups: []));
        var one = await edge.SignedInAsync("user1");
        var other = edge.NewBrowser();
        other.Cookies[("localhost", "berth")] = one.Cookies[("localhost", "berth")];
        edge.Clock.Advance(After);
        Assert.Equal("Session user1 False", await WhoAsync(one));

        edge.Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("Session user1 False", await WhoAsync(other));

        Assert.Equal(1, tokens.Asked);
        Assert.NotEqual(one.Cookies[("localhost", "berth")], other.Cookies[("localhost", "berth")]);
    }

    [Fact]
    public async Task Group_RemovedAtTheProvider_Is403AndEndsWhatIsOpen()
    {
        ScriptedTokens tokens = new();
        await using var edge = await StartAsync(tokens, o => o with { Allow = new() { Groups = ["admins"] } });
        tokens.Answer = () => Task.FromResult(Token(edge, groups: ["others"]));
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var socket = await browser.ConnectAsync("ws://ws-one.localhost:8080/socket", EdgeFixture.WorkspaceOrigin);
        Assert.Equal(System.Net.WebSockets.WebSocketState.Open, socket.State);

        // Nobody asks for anything: the open terminal alone has it looked at.
        edge.Clock.Advance(After);
        await ProductFixture.Until(() => edge.Get<IOpenConnections>().Count == 0);

        using var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        using var api = await browser.GetAsync($"{EdgeFixture.Origin}/api/anything", ("Accept", "application/json"));
        Assert.Equal([HttpStatusCode.Forbidden, HttpStatusCode.Forbidden], [page.StatusCode, api.StatusCode]);
        Assert.Contains("group-not-allowed", await api.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("You are signed in at", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(1, tokens.Forgotten);

        // A sign-in asks anew.
        using var again = await browser.FollowAsync($"{EdgeFixture.Origin}/login?return=/whoami");
        Assert.Equal("Session user1 True", await again.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Renewal_Over_EndsTheSession()
    {
        var tokens = new ScriptedTokens { Answer = () => Task.FromResult(new SessionTokenAnswer(SessionTokenKind.Over)) };
        await using var edge = await StartAsync(tokens);
        var browser = await edge.SignedInAsync("user1");
        edge.Clock.Advance(After);

        Assert.Equal("stranger", await WhoAsync(browser));
    }

    [Theory]
    [InlineData("unavailable")]
    [InlineData("unusable")]
    [InlineData("sub")]
    [InlineData("iss")]
    [InlineData("aud")]
    [InlineData("azp")]
    [InlineData("nonce")]
    [InlineData("signature")]
    [InlineData("expired")]
    [InlineData("old")]
    public async Task Renewal_ThatDoesNotWorkOrDoesNotVerify_ChangesNothingAndIsTriedLater(string how)
    {
        ScriptedTokens tokens = new();
        await using var edge = await StartAsync(tokens);
        tokens.Answer = () => Task.FromResult(how switch
        {
            "unavailable" => new SessionTokenAnswer(SessionTokenKind.Unavailable, Detail: "503"),
            "unusable" => new SessionTokenAnswer(SessionTokenKind.Unusable, Detail: "no ID token"),
            "old" => Token(edge, groups: []) with { Age = After * 1.1 },
            "signature" => new SessionTokenAnswer(SessionTokenKind.Token, Token(edge, groups: []).IdToken![..^4] + "AAAA"),
            _ => Token(edge, groups: [], bend: c => _ = how switch
            {
                "sub" => c["sub"] = "somebody-else",
                "iss" => c["iss"] = "https://other.example",
                "aud" => c["aud"] = "other",
                "azp" => c["azp"] = "other",
                "nonce" => c["nonce"] = "another",
                _ => c["exp"] = (long)c["iat"]! - 120,
            }),
        });
        var browser = await edge.SignedInAsync("user1");
        edge.Clock.Advance(After);

        Assert.Equal("Session user1 True", await WhoAsync(browser));
        Assert.Equal("Session user1 True", await WhoAsync(browser));
        Assert.Equal(1, tokens.Asked);

        tokens.Answer = () => Task.FromResult(Token(edge, groups: []));
        edge.Clock.Advance(After);
        await ProductFixture.Until(async () => await WhoAsync(browser) == "Session user1 False");
    }

    [Fact]
    public async Task Renewal_WithTheNonceOfTheSignIn_IsAccepted()
    {
        ScriptedTokens tokens = new();
        string? nonce = null;
        await using var edge = await StartAsync(tokens, claims: c => nonce = (string?)c["nonce"]);
        var browser = await edge.SignedInAsync("user1");
        tokens.Answer = () => Task.FromResult(Token(edge, groups: [], bend: c => c["nonce"] = nonce));
        edge.Clock.Advance(After);

        Assert.Equal("Session user1 False", await WhoAsync(browser));
    }

    [Fact]
    public async Task Provider_Hangs_ARequestWaitsThreeSecondsOnceAndNobodyAfterIt()
    {
        var tokens = new ScriptedTokens { Answer = () => new TaskCompletionSource<SessionTokenAnswer>().Task };
        await using var edge = await StartAsync(tokens);
        var browser = await edge.SignedInAsync("user1");
        edge.Clock.Advance(After);

        var first = WhoAsync(browser);
        await ProductFixture.Until(() => tokens.Asked == 1);
        while (!first.IsCompleted)
        {
            edge.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal("Session user1 True", await first);
        Assert.Equal("Session user1 True", await WhoAsync(browser));
        Assert.Equal(1, tokens.Asked);
    }

    [Fact]
    public async Task Callback_NoRefreshToken_IsRefusedInWords()
    {
        await using var edge = await StartAsync(new ScriptedTokens(), provider: p => p.OnTokenAnswer = null);
        var browser = edge.NewBrowser();

        using var answer = await browser.FollowAsync($"{EdgeFixture.Origin}/login");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("offline_access", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(browser.Cookies);
    }

    [Fact]
    public async Task Logout_TellsTheProviderWhoWithTheIdToken()
    {
        var tokens = new ScriptedTokens { Hint = "a.b.c" };
        await using var edge = await StartAsync(tokens);
        var browser = await edge.SignedInAsync("user1");

        using var answer = await browser.SendAsync(
            $"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]);

        Assert.Contains("&id_token_hint=a.b.c&", answer.Headers.GetValues("Refresh").Single(), StringComparison.Ordinal);
        Assert.Equal(1, tokens.Forgotten);
    }

    [Fact]
    public async Task Logout_StoreHangs_GoesOnWithoutIt()
    {
        var tokens = new ScriptedTokens { FindHint = () => new TaskCompletionSource<string?>().Task };
        await using var edge = await StartAsync(tokens);
        var browser = await edge.SignedInAsync("user1");

        var leaving = browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]);
        while (!leaving.IsCompleted)
        {
            edge.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        using var answer = await leaving;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain("id_token_hint", answer.Headers.GetValues("Refresh").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_Ages_AreSpreadAndTheSameOnEveryReplica()
    {
        var early = Enumerable.Range(0, 200).Select(i => RefreshPlan.EarlyAfter($"session-{i}", After)).ToList();

        Assert.All(early, e => Assert.InRange(e, After * 0.6, After * 0.8));
        Assert.True(early.Distinct().Count() > 50);
        Assert.Equal(early[0], RefreshPlan.EarlyAfter("session-0", After));
        Assert.Equal(
            [RefreshNeed.None, RefreshNeed.Soon, RefreshNeed.Now],
            ((double[])[0.59, 0.81, 1]).Select(part => RefreshPlan.Decide("s", After * part, After)));
    }

    private static Task<EdgeFixture> StartAsync(
        ScriptedTokens tokens, Func<IssuerOptions, IssuerOptions>? issuer = null, Action<FakeProvider>? provider = null,
        Action<JsonObject>? claims = null) => EdgeFixture.StartAsync(
            p =>
            {
                p.OnIdToken = c =>
                {
                    c["groups"] = new JsonArray("admins");
                    claims?.Invoke(c);
                };
                p.OnTokenAnswer = a => a["refresh_token"] = "rt-1";
                provider?.Invoke(p);
            },
            o =>
            {
                var with = o.Issuers[0] with
                {
                    RefreshSessions = true,
                    RefreshAfter = After,
                    AdministratorClaim = "groups",
                    AdministratorClaimValue = "admins",
                };
                return o with { Issuers = [issuer?.Invoke(with) ?? with] };
            },
            s => s.AddSingleton<ISessionTokens>(tokens).AddSingleton<EdgeMetrics>());

    private static SessionTokenAnswer Token(EdgeFixture edge, string[] groups, Action<JsonObject>? bend = null)
    {
        var now = edge.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = edge.Provider.Issuer,
            ["aud"] = FakeProvider.ClientId,
            ["sub"] = "user1",
            ["iat"] = now,
            ["exp"] = now + 300,
            ["groups"] = new JsonArray([.. groups.Select(g => (JsonNode)g)]),
        };
        bend?.Invoke(claims);
        return new SessionTokenAnswer(SessionTokenKind.Token, edge.Provider.Sign(claims));
    }

    private static async Task<string> WhoAsync(Browser browser)
    {
        using var answer = await browser.GetAsync($"{EdgeFixture.Origin}/whoami");
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>A vault that says what a test wants.</summary>
    private sealed class ScriptedTokens : ISessionTokens
    {
        private int _asked;
        private int _forgotten;

        public Func<Task<SessionTokenAnswer>> Answer { get; set; } =
            () => Task.FromResult(new SessionTokenAnswer(SessionTokenKind.Unavailable));

        public Func<Task<string?>>? FindHint { get; init; }

        public string? Hint { get; init; }

        public string? RefreshToken { get; private set; }

        public int Asked => _asked;

        public int Forgotten => _forgotten;

        public Task StoreAsync(
            EdgeSession session, IssuerSettings issuer, string refreshToken, string idToken, CancellationToken cancellationToken)
        {
            RefreshToken = refreshToken;
            return Task.CompletedTask;
        }

        public Task<SessionTokenAnswer> GetAsync(EdgeSession session, IssuerSettings issuer, TimeSpan youngerThan)
        {
            Interlocked.Increment(ref _asked);
            return Answer();
        }

        public Task<string?> FindHintAsync(EdgeSession session, CancellationToken cancellationToken) =>
            FindHint?.Invoke() ?? Task.FromResult(Hint);

        public void Forget(EdgeSession session) => Interlocked.Increment(ref _forgotten);
    }
}
