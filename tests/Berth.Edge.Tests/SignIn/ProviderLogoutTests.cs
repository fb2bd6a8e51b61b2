using System.Net;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Berth.Edge.Tests;

/// <summary>Sign-outs that a provider tells of: OpenID Connect Back-Channel and Front-Channel Logout 1.0.</summary>
public class ProviderLogoutTests
{
    private const string BackChannel = ProductFixture.Origin + ProviderLogoutEndpoint.BackChannelPath;
    private const string FrontChannel = ProductFixture.Origin + ProviderLogoutEndpoint.FrontChannelPath;

    [Fact]
    public async Task BackChannel_Session_EndsItAndWhatIsOpenAndNoOther()
    {
        await using var edge = await ProductFixture.StartAsync();
        var laptop = await SignedInAsync(edge, "user1", "sid-1");
        var phone = await SignedInAsync(edge, "user1", "sid-2");
        using var http = new HttpClient(edge.NewHandler());
        http.DefaultRequestHeaders.Add("Cookie", laptop.CookieHeader("localhost"));
        using var stream = await http.GetAsync(ProductFixture.Origin + "/api/workspaces/events", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(1, edge.Get<IOpenConnections>().Count);

        using var answer = await PostAsync(edge, Token(edge, t => t["sid"] = "sid-1"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(laptop));
        Assert.Equal(HttpStatusCode.OK, await MeAsync(phone));
        await ProductFixture.Until(() => edge.Get<IOpenConnections>().Count == 0);
        var audited = await edge.Get<IAccountStore>().ListAuditAsync(new AuditQuery(), default);
        Assert.Contains(audited, e => e.Action == "session.end-by-provider" && e.Target == $"issuers/{edge.Provider.Issuer} sid-1");
    }

    [Fact]
    public async Task BackChannel_PersonWithoutASession_EndsAllOfTheirsAndNobodyElses()
    {
        await using var edge = await ProductFixture.StartAsync();
        var laptop = await SignedInAsync(edge, "user1", "sid-1");
        var phone = await SignedInAsync(edge, "user1", "sid-2");
        var other = await SignedInAsync(edge, "user2", "sid-3");

        using var answer = await PostAsync(edge, Token(edge, t => t["sub"] = "user1"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.OK],
            [await MeAsync(laptop), await MeAsync(phone), await MeAsync(other)]);

        // And they may sign in again.
        Assert.Equal(HttpStatusCode.OK, await MeAsync(await SignedInAsync(edge, "user1", "sid-4")));
    }

    [Fact]
    public async Task BackChannel_SessionOfSomebodyElse_EndsNothing()
    {
        await using var edge = await ProductFixture.StartAsync();
        var person = await SignedInAsync(edge, "user1", "sid-1");

        using var answer = await PostAsync(edge, Token(edge, t => (t["sid"], t["sub"]) = ("sid-1", "user2")));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(person));
    }

    [Theory]
    [InlineData("nonce")]
    [InlineData("no-events")]
    [InlineData("events-text")]
    [InlineData("event-missing")]
    [InlineData("event-text")]
    [InlineData("no-jti")]
    [InlineData("nobody")]
    [InlineData("sid-number")]
    [InlineData("sid-empty")]
    [InlineData("audience")]
    [InlineData("issuer")]
    [InlineData("other-key")]
    [InlineData("no-iat")]
    [InlineData("old")]
    [InlineData("no-exp")]
    [InlineData("expired")]
    [InlineData("lives-long")]
    [InlineData("typed-access-token")]
    [InlineData("garbage")]
    [InlineData("none")]
    public async Task BackChannel_TokenThatIsNone_IsRefusedAndEndsNothing(string what)
    {
        await using var edge = await ProductFixture.StartAsync();
        var person = await SignedInAsync(edge, "user1", "sid-1");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var text = Token(
            edge,
            t =>
            {
                t["sid"] = "sid-1";
                _ = what switch
                {
                    "nonce" => t["nonce"] = "n",
                    "no-events" => t.Remove("events"),
                    "events-text" => t["events"] = LogoutTokenVerifier.Event,
                    "event-missing" => t["events"] = new JsonObject(),
                    "event-text" => t["events"] = new JsonObject { [LogoutTokenVerifier.Event] = "yes" },
                    "no-jti" => t.Remove("jti"),
                    "nobody" => t.Remove("sid"),
                    "sid-number" => t["sid"] = 1,
                    "sid-empty" => t["sid"] = "",
                    "audience" => t["aud"] = "somebody-else",
                    "issuer" => t["iss"] = "https://evil.example",
                    "no-iat" => t.Remove("iat"),
                    "old" => t["iat"] = now - 700,
                    "no-exp" => t.Remove("exp"),
                    "expired" => t["exp"] = now - 120,
                    "lives-long" => t["exp"] = now + 3600,
                    _ => (object?)null,
                };
                if (what == "sid-number" || what == "sid-empty")
                {
                    // Taken for absent, it would end all of the person's sessions.
                    t["sub"] = "user1";
                }
            },
            what == "typed-access-token" ? "at+jwt" : "logout+jwt",
            what == "other-key" ? TestKey.NewEc(edge.Provider.Key.Id) : null);
        text = what switch { "garbage" => "garbage", "none" => null!, _ => text };

        using var answer = await PostAsync(edge, text);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.Contains("invalid_request", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(person));
    }

    [Fact]
    public async Task BackChannel_TheSameTokenAgain_IsRefused()
    {
        await using var edge = await ProductFixture.StartAsync();
        await SignedInAsync(edge, "user1", "sid-1");
        var token = Token(edge, t => t["sub"] = "user1");
        using (await PostAsync(edge, token))
        {
        }

        var later = await SignedInAsync(edge, "user1", "sid-2");
        using var again = await PostAsync(edge, token);

        Assert.Equal(HttpStatusCode.BadRequest, again.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(later));
    }

    [Fact]
    public async Task BackChannel_DatabaseIsAway_503AndTheSameTokenWorksLater()
    {
        var accounts = new BrokenAccounts();
        await using var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(accounts));
        var person = await SignedInAsync(edge, "user1", "sid-1");
        var token = Token(edge, t => t["sid"] = "sid-1");
        accounts.IsDown = true;
        using var away = await PostAsync(edge, token);
        accounts.IsDown = false;
        using var back = await PostAsync(edge, token);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (away.StatusCode, back.StatusCode));
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(person));
    }

    [SkippableFact]
    public async Task BackChannel_OfSomebodyElsesProvider_EndsTheSession()
    {
        var port = LoopbackPort.Free();
        await using var provider = await ForeignProvider.StartAsync(
            backChannelLogout: $"http://localhost:{port}{ProviderLogoutEndpoint.BackChannelPath}");
        Skip.If(provider is null, ForeignProvider.SkipReason);
        await using var edge = await ProductFixture.StartAsync(
            o => o with
            {
                Edge = o.Edge with
                {
                    Issuers =
                    [
                        new()
                        {
                            Issuer = provider!.Issuer, ClientId = ForeignProvider.ClientId, ClientSecret = ForeignProvider.Secret,
                        },
                    ],
                    Administrators = [],
                },
            },
            port: port);
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync(ProductFixture.Origin + "/login?return=%2Ftos");
        using (await browser.FollowAsync(await provider.AuthorizeAsync(start.Headers.Location!.AbsoluteUri, "ann")))
        {
        }

        Assert.Equal(HttpStatusCode.OK, await MeAsync(browser));

        await provider.SignOutAsync("ann");

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await MeAsync(browser) != HttpStatusCode.Unauthorized)
        {
            await Task.Delay(20, limit.Token);
        }
    }

    // A token of one kind is no other (RFC 8725, 3.11).
    [Fact]
    public async Task LogoutToken_AsABearerToken_IsRefused()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var http = new HttpClient(edge.NewHandler());
        http.DefaultRequestHeaders.Authorization = new("Bearer", Token(edge, t =>
        {
            t["sub"] = "user1";
            t["aud"] = new JsonArray(FakeProvider.ClientId, EdgeFixture.Audience);
            t["client_id"] = "cli";
        }));

        using var answer = await http.GetAsync(ProductFixture.Origin + "/api/me");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task FrontChannel_IssuerAndSession_EndsItAndMayBeFramedThereAlone()
    {
        await using var edge = await ProductFixture.StartAsync();
        var person = await SignedInAsync(edge, "user1", "sid-1");
        var other = await SignedInAsync(edge, "user1", "sid-2");

        using var answer = await edge.NewBrowser().GetAsync(
            $"{FrontChannel}?iss={Uri.EscapeDataString(edge.Provider.Issuer)}&sid=sid-1",
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.False(answer.Headers.Contains("X-Frame-Options"));
        Assert.Equal($"default-src 'none'; frame-ancestors {edge.Provider.Issuer}",
            Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await MeAsync(person), await MeAsync(other)));
    }

    [Theory]
    [InlineData("?sid=sid-1")]
    [InlineData("?iss=ISSUER")]
    [InlineData("?iss=ISSUER&sid=")]
    [InlineData("?iss=ISSUER&sid=sid-1&sid=sid-1")]
    [InlineData("?iss=https%3A%2F%2Fevil.example&sid=sid-1")]
    public async Task FrontChannel_IssuerOrSessionMissing_EndsNothing(string query)
    {
        await using var edge = await ProductFixture.StartAsync();
        var person = await SignedInAsync(edge, "user1", "sid-1");

        using var answer = await person.GetAsync(
            FrontChannel + query.Replace("ISSUER", Uri.EscapeDataString(edge.Provider.Issuer), StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("DENY", Assert.Single(answer.Headers.GetValues("X-Frame-Options")));
        Assert.Equal(HttpStatusCode.OK, await MeAsync(person));
    }

    private static async Task<Browser> SignedInAsync(ProductFixture edge, string person, string session)
    {
        edge.Provider.OnIdToken = t => t["sid"] = session;
        return await edge.SignedInAsync(person);
    }

    private static async Task<HttpStatusCode> MeAsync(Browser browser)
    {
        using var answer = await browser.GetAsync(ProductFixture.Origin + "/api/me", ("Accept", "application/json"));
        return answer.StatusCode;
    }

    private static string Token(ProductFixture edge, Action<JsonObject> change, string type = "logout+jwt", TestKey? key = null)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = edge.Provider.Issuer,
            ["aud"] = FakeProvider.ClientId,
            ["iat"] = now,
            ["exp"] = now + 120,
            ["jti"] = Guid.NewGuid().ToString("n"),
            ["events"] = new JsonObject { [LogoutTokenVerifier.Event] = new JsonObject() },
        };
        change(claims);
        return (key ?? edge.Provider.Key).Sign(claims, type);
    }

    // As a provider's server does: no cookie, no origin.
    private static async Task<HttpResponseMessage> PostAsync(ProductFixture edge, string? token)
    {
        using var http = new HttpClient(edge.NewHandler());
        return await http.PostAsync(BackChannel, new FormUrlEncodedContent(
            token is null ? [] : new Dictionary<string, string> { ["logout_token"] = token }));
    }
}
