using System.Net;
using System.Text.Json.Nodes;
using System.Web;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests;

public class SignInTests
{
    [Fact]
    public async Task Login_CodeFlow_EndsInASessionAndTheReturnTarget()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var start = await browser.GetAsync(
            $"{EdgeFixture.Origin}/login?return=%2Fwhoami%3Fx%3D1&login_hint=user1&screen_hint=signup");
        var query = HttpUtility.ParseQueryString(start.Headers.Location!.Query);
        Assert.Equal(HttpStatusCode.SeeOther, start.StatusCode);
        Assert.StartsWith(edge.Provider.Issuer + "/authorize?", start.Headers.Location.AbsoluteUri, StringComparison.Ordinal);
        Assert.Equal("S256", query["code_challenge_method"]);
        Assert.Equal(43, query["code_challenge"]!.Length);
        Assert.Equal(43, query["state"]!.Length);
        Assert.Equal(43, query["nonce"]!.Length);
        Assert.Equal("user1", query["login_hint"]);
        Assert.Equal("signup", query["screen_hint"]);
        Assert.Equal($"{EdgeFixture.Origin}/auth/callback", query["redirect_uri"]);

        using var end = await browser.FollowAsync(start.Headers.Location.AbsoluteUri);
        Assert.Equal("Session user1 False", await end.Content.ReadAsStringAsync());
        Assert.Equal($"{EdgeFixture.Origin}/whoami?x=1", end.RequestMessage!.RequestUri!.AbsoluteUri);
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name.StartsWith("berth-flow-", StringComparison.Ordinal));
        var expected = Convert.ToBase64String(
            System.Text.Encoding.UTF8.GetBytes($"berth:{WebUtility.UrlEncode(FakeProvider.ClientSecret)}"));
        Assert.Equal("Basic " + expected, edge.Provider.LastAuthorization);
    }

    [Fact]
    public async Task Login_Administrator_IsOneByConfiguration()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("admin");

        using var answer = await browser.GetAsync($"{EdgeFixture.Origin}/whoami");

        Assert.Equal("Session admin True", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Login_ScriptRequest_Gets401AndNoFlow()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var answer = await browser.GetAsync($"{EdgeFixture.Origin}/login", ("Sec-Fetch-Mode", "cors"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Empty(browser.Cookies);
        Assert.Contains("loginUrl", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callback_TwoTabs_BothFinish()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var one = await browser.GetAsync($"{EdgeFixture.Origin}/login?return=/whoami%3Ftab%3D1");
        using var two = await browser.GetAsync($"{EdgeFixture.Origin}/login?return=/whoami%3Ftab%3D2");

        using var endOne = await browser.FollowAsync(one.Headers.Location!.AbsoluteUri);
        using var endTwo = await browser.FollowAsync(two.Headers.Location!.AbsoluteUri);

        Assert.Equal("?tab=1", endOne.RequestMessage!.RequestUri!.Query);
        Assert.Equal("?tab=2", endTwo.RequestMessage!.RequestUri!.Query);
        Assert.Equal("Session user1 False", await endTwo.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Login_ManyTabs_KeepsFiveFlowsAtMost()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        for (var i = 0; i < 9; i++)
        {
            using var answer = await browser.GetAsync($"{EdgeFixture.Origin}/login");
            edge.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(5, browser.Cookies.Count);
        using var last = await browser.GetAsync($"{EdgeFixture.Origin}/login?return=/whoami");
        using var end = await browser.FollowAsync(last.Headers.Location!.AbsoluteUri);
        Assert.Equal("Session user1 False", await end.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("other-browser", "no-flow")]
    [InlineData("state-changed", "no-flow")]
    [InlineData("state-twice", "callback-parameters")]
    [InlineData("code-twice", "callback-parameters")]
    [InlineData("token-in-query", "callback-parameters")]
    [InlineData("iss-other", "issuer-mismatch")]
    [InlineData("iss-missing", "issuer-mismatch")]
    [InlineData("expired", "no-flow")]
    [InlineData("cookie-of-other-flow", "no-flow")]
    public async Task Callback_Tampered_IsRefusedBeforeTheProviderIsAsked(string how, string reason)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        var url = approved.Headers.Location!.AbsoluteUri;
        var state = HttpUtility.ParseQueryString(approved.Headers.Location.Query)["state"]!;
        switch (how)
        {
            case "other-browser":
                browser.Cookies.Clear();
                break;
            case "state-changed":
                url = url.Replace(state, "A" + state[1..] == state ? "B" + state[1..] : "A" + state[1..], StringComparison.Ordinal);
                break;
            case "state-twice":
                url += "&state=" + state;
                break;
            case "code-twice":
                url += "&code=x";
                break;
            case "token-in-query":
                url += "&id_token=x";
                break;
            case "iss-other":
                url = url.Replace("iss=http", "iss=https", StringComparison.Ordinal);
                break;
            case "iss-missing":
                url = url[..url.IndexOf("&iss=", StringComparison.Ordinal)];
                break;
            case "expired":
                edge.Clock.Advance(TimeSpan.FromMinutes(10));
                break;
            default:
                var first = browser.Cookies.Single();
                using (var other = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/login"))
                {
                    browser.Cookies[first.Key] = other.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=', 2)[1];
                }

                break;
        }

        using var answer = await browser.GetAsync(url, ("Accept", "text/html"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(0, edge.Provider.TokenRequests);
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name == "berth");
        using var json = await browser.GetAsync(url, ("Accept", "application/json"));
        Assert.True(json.StatusCode == HttpStatusCode.BadRequest);
        Assert.Contains(reason is "issuer-mismatch" ? "no-flow" : reason, await json.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callback_SecondUseWithTheCookieKept_IsRefused()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        var stolen = new Dictionary<(string, string), string>(browser.Cookies);
        using var first = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);

        var thief = edge.NewBrowser();
        foreach (var (key, value) in stolen)
        {
            thief.Cookies[key] = value;
        }

        using var second = await thief.GetAsync(approved.Headers.Location.AbsoluteUri);
        Assert.Equal(HttpStatusCode.SeeOther, first.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, second.StatusCode);
        Assert.Equal(1, edge.Provider.TokenRequests);
    }

    [Fact]
    public async Task Callback_RepeatedByAPersonSignedIn_GoesOnToTheStartPage()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        using var first = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);

        using var again = await browser.GetAsync(approved.Headers.Location.AbsoluteUri);

        Assert.Equal("/", again.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Callback_ProviderError_IsShownEscapedAndWithoutItsText()
    {
        await using var edge = await EdgeFixture.StartAsync(p => p.OnRedirect = url =>
            url[..url.IndexOf('?', StringComparison.Ordinal)] + "?error=%3Cscript%3E&error_description=%3Cb%3Eevil%3C%2Fb%3E"
                + url[url.IndexOf("&state", StringComparison.Ordinal)..]);
        var browser = edge.NewBrowser();

        using var answer = await browser.FollowAsync($"{EdgeFixture.Origin}/login");
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.DoesNotContain("evil", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Contains("Request ", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonce")]
    [InlineData("nonce-missing")]
    [InlineData("aud")]
    [InlineData("aud-several-no-azp")]
    [InlineData("azp")]
    [InlineData("iss")]
    [InlineData("exp")]
    [InlineData("exp-missing")]
    [InlineData("iat-missing")]
    [InlineData("iat-future")]
    [InlineData("sub-missing")]
    [InlineData("at_hash")]
    [InlineData("signature")]
    [InlineData("alg-none")]
    [InlineData("events")]
    public async Task Callback_BadIdToken_StartsNoSession(string what)
    {
        await using var edge = await EdgeFixture.StartAsync(p =>
        {
            p.OnIdToken = claims => Bend(claims, what);
            p.OnIdTokenText = what switch
            {
                "signature" => t => t[..^4] + (t.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA"),
                "alg-none" => t => "eyJhbGciOiJub25lIn0." + t.Split('.')[1] + ".",
                _ => null,
            };
        });
        var browser = edge.NewBrowser();

        using var answer = await browser.FollowAsync($"{EdgeFixture.Origin}/login");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(1, edge.Provider.TokenRequests);
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name == "berth");
    }

    [Fact]
    public async Task Callback_ProviderRotatedItsKey_SignInStillWorks()
    {
        await using var edge = await EdgeFixture.StartAsync();
        edge.Provider.Key = TestKey.NewRsa("key-2");

        var browser = await edge.SignedInAsync("user1");

        Assert.Contains(browser.Cookies.Keys, c => c.Name == "berth");
    }

    [Fact]
    public async Task Callback_WrongVerifier_ProviderRefusesAndNoSessionStarts()
    {
        await using var edge = await EdgeFixture.StartAsync(p =>
            p.OnRedirect = url => url.Replace("code=", "code=x", StringComparison.Ordinal));
        var browser = edge.NewBrowser();

        using var answer = await browser.FollowAsync($"{EdgeFixture.Origin}/login");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name == "berth");
    }

    [Theory]
    [InlineData("user1", "from userinfo")]
    [InlineData("somebody-else", null)]
    public async Task Callback_NameMissing_IsTakenFromUserinfoOnlyOfTheSameSubject(string subject, string? name)
    {
        var recorder = new Recorder();
        await using var edge = await EdgeFixture.StartAsync(
            p =>
            {
                p.OnIdToken = claims => claims.Remove("name");
                p.UserInfo = new JsonObject { ["sub"] = subject, ["name"] = "from userinfo" };
            },
            services: s => s.AddSingleton<ISignInRecorder>(recorder));

        await edge.SignedInAsync("user1");

        Assert.Equal(name, recorder.Last!.Name);
        Assert.Equal("provider-session", recorder.Last.ProviderSessionId);
    }

    [Fact]
    public async Task Callback_StoreUnavailable_ShowsMaintenanceAndStartsNoSession()
    {
        await using var edge = await EdgeFixture.StartAsync(services: s =>
            s.AddSingleton<ISignInRecorder>(new Recorder { Failure = new SignInUnavailableException() }));
        var browser = edge.NewBrowser();

        using var answer = await browser.FollowAsync($"{EdgeFixture.Origin}/login");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name == "berth");
    }

    [Fact]
    public async Task Callback_SessionBroughtAlong_IsReplacedAndDead()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var old = browser.Cookies[("localhost", "berth")];

        using var again = await browser.FollowAsync($"{EdgeFixture.Origin}/login?login_hint=user1");

        Assert.NotEqual(old, browser.Cookies[("localhost", "berth")]);
        var thief = edge.NewBrowser();
        thief.Cookies[("localhost", "berth")] = old;
        using var answer = await thief.GetAsync($"{EdgeFixture.Origin}/whoami");
        Assert.Equal("stranger", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("plain-only")]
    [InlineData("issuer")]
    [InlineData("insecure-token-endpoint")]
    [InlineData("algorithms")]
    [InlineData("down")]
    public async Task Login_UnusableProvider_Is503AndNotReady(string what)
    {
        await using var edge = await EdgeFixture.StartAsync(
            p =>
            {
                p.IsDown = what == "down";
                p.OnDiscovery = d =>
                {
                    _ = what switch
                    {
                        "plain-only" => d["code_challenge_methods_supported"] = new JsonArray("plain"),
                        "issuer" => d["issuer"] = "http://127.0.0.1/",
                        "insecure-token-endpoint" => d["token_endpoint"] = "http://idp.example.com/token",
                        _ => d["id_token_signing_alg_values_supported"] = new JsonArray("HS256"),
                    };
                };
            },
            waitForProvider: false);

        using var answer = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/login");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.False(edge.Get<IEdgeReadiness>().IsReady);
        Assert.NotNull(edge.Get<IEdgeReadiness>().NotReadyBecause);
    }

    [Fact]
    public async Task Login_SeveralProviders_OffersThemAndKeepsTheirAnswersApart()
    {
        await using var second = await FakeProvider.StartAsync(TimeProvider.System);
        await using var edge = await EdgeFixture.StartAsync(options: o => o with
        {
            Issuers = [o.Issuers[0] with { Key = "one" },
                o.Issuers[0] with { Key = "two", Issuer = second.Issuer, DisplayName = "Second <provider>" }],
        });
        var browser = edge.NewBrowser();

        using var choice = await browser.GetAsync($"{EdgeFixture.Origin}/login?return=/whoami");
        var page = await choice.Content.ReadAsStringAsync();
        Assert.Contains("provider=two&amp;return=%2Fwhoami", page, StringComparison.Ordinal);
        Assert.Contains("Second &lt;provider&gt;", page, StringComparison.Ordinal);
        Assert.Empty(browser.Cookies);

        // The first provider's answer on a flow that was started with the second.
        using var startTwo = await browser.GetAsync($"{EdgeFixture.Origin}/login?provider=two");
        using var approved = await browser.GetAsync(
            startTwo.Headers.Location!.AbsoluteUri.Replace(second.Issuer, edge.Provider.Issuer, StringComparison.Ordinal));
        using var mixed = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);
        Assert.Equal(HttpStatusCode.BadRequest, mixed.StatusCode);
        Assert.Equal(0, edge.Provider.TokenRequests + second.TokenRequests);

        using var end = await browser.FollowAsync($"{EdgeFixture.Origin}/login?provider=one&return=/whoami");
        Assert.Equal("Session user1 False", await end.Content.ReadAsStringAsync());
    }

    // Mix-up (RFC 9700, 4.4): a hostile provider sends the browser on to an honest one that does not say who it is, to get its code.
    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    public async Task Callback_CodeOfAProviderWithoutIss_IsNeverGivenToAnother(string redirectTo)
    {
        await using var hostile = await FakeProvider.StartAsync(TimeProvider.System);
        static string WithoutIss(string url) => System.Text.RegularExpressions.Regex.Replace(url, "&iss=[^&]*", "");
        static void Silent(FakeProvider p) =>
            (p.OnDiscovery, p.OnRedirect) = (d => d.Remove("authorization_response_iss_parameter_supported"), WithoutIss);
        Silent(hostile);
        await using var edge = await EdgeFixture.StartAsync(Silent, o => o with
        {
            Issuers = [o.Issuers[0] with { Key = "one" }, o.Issuers[0] with { Key = "two", Issuer = hostile.Issuer }],
        });
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login?provider=two");
        var asked = start.Headers.Location!.AbsoluteUri;
        Assert.Contains("callback%2Ftwo", asked, StringComparison.Ordinal);

        using var approved = await browser.GetAsync(asked.Replace(hostile.Issuer, edge.Provider.Issuer, StringComparison.Ordinal)
            .Replace("callback%2Ftwo", $"callback%2F{redirectTo}", StringComparison.Ordinal));
        var back = approved.Headers.Location!.AbsoluteUri;
        Assert.DoesNotContain("iss=", back, StringComparison.Ordinal);
        using var mixed = await browser.GetAsync(back);

        // An honest provider sends nobody to an address that is not registered with it; the other case is why it must not be.
        Assert.Equal(redirectTo == "one" ? 0 : 1, hostile.TokenRequests);
        Assert.Equal(0, edge.Provider.TokenRequests);
        Assert.NotEqual(HttpStatusCode.SeeOther, mixed.StatusCode);

        using var end = await browser.FollowAsync($"{EdgeFixture.Origin}/login?provider=one&return=/whoami");
        Assert.Equal("Session user1 False", await end.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Logout_Get_ChangesNothing()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");

        using var page = await browser.GetAsync($"{EdgeFixture.Origin}/logout");
        using var answer = await browser.GetAsync($"{EdgeFixture.Origin}/whoami");

        Assert.Contains("method=\"post\"", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("Session user1 False", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Forbidden)]
    [InlineData("https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData(EdgeFixture.WorkspaceOrigin, HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData(EdgeFixture.Origin, HttpStatusCode.OK)]
    public async Task Logout_Post_OnlyFromTheEdgesOwnPages(string? origin, HttpStatusCode expected)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var copy = browser.Cookies[("localhost", "berth")];

        using var answer = await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: origin is null
            ? [] : [("Origin", origin)]);

        Assert.Equal(expected, answer.StatusCode);
        var other = edge.NewBrowser();
        other.Cookies[("localhost", "berth")] = copy;
        using var after = await other.GetAsync($"{EdgeFixture.Origin}/whoami");
        Assert.Equal(expected == HttpStatusCode.OK ? "stranger" : "Session user1 False", await after.Content.ReadAsStringAsync());
        if (expected == HttpStatusCode.OK)
        {
            Assert.Empty(browser.Cookies);
            Assert.StartsWith($"0;url={edge.Provider.Issuer}/logout?client_id=berth&logout_hint=provider-session",
                answer.Headers.GetValues("Refresh").Single(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AnySignInAnswer_IsNeverCached()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        foreach (
            var path in (string[])["/login?login_hint=x", "/auth/callback", "/auth/workspace?host=ws-one.localhost", "/logout", "/whoami"])
        {
            using var answer = await browser.GetAsync(EdgeFixture.Origin + path);
            Assert.True(answer.Headers.CacheControl?.NoStore, path);
        }
    }

    private static void Bend(JsonObject claims, string what)
    {
        switch (what)
        {
            case "nonce":
                claims["nonce"] = "other";
                break;
            case "aud":
                claims["aud"] = "other";
                break;
            case "aud-several-no-azp":
                claims["aud"] = new JsonArray("berth", "other");
                break;
            case "azp":
                claims["azp"] = "other";
                break;
            case "iss":
                claims["iss"] = claims["iss"] + "/";
                break;
            case "exp":
                claims["exp"] = (long)claims["iat"]! - 61;
                break;
            case "iat-future":
                claims["iat"] = (long)claims["iat"]! + 120;
                break;
            case "at_hash":
                claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA";
                break;
            case "events":
                claims["events"] = new JsonObject();
                break;
            case { } missing when missing.EndsWith("-missing", StringComparison.Ordinal):
                claims.Remove(missing.Split('-')[0]);
                break;
            default:
                break;
        }
    }

    private sealed class Recorder : ISignInRecorder
    {
        public SignedInPerson? Last { get; private set; }

        public Exception? Failure { get; init; }

        public ValueTask<SignInRecord> RecordAsync(SignedInPerson person, CancellationToken cancellationToken)
        {
            Last = person;
            return Failure is null ? new(new SignInRecord(0)) : throw Failure;
        }
    }
}
