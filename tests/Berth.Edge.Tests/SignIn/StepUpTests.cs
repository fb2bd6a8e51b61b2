using System.Net;
using System.Text.Json.Nodes;
using System.Web;

namespace Berth.Edge.Tests;

/// <summary>What administrators have to show besides being named (acr, amr, auth_time; RFC 9470).</summary>
public class StepUpTests
{
    private const string StepUp = $"{EdgeFixture.Origin}/login?step_up=administrator&return=/whoami";

    [Fact]
    public async Task Administrator_WithoutTheClass_IsNoneUntilTheySignInWithIt()
    {
        string? acr = null;
        await using var edge = await StartAsync(o => o with { AdministratorAcr = ["gold", "platinum"] }, claims => claims["acr"] = acr,
            d => d["claims_parameter_supported"] = true);
        var browser = await edge.SignedInAsync("admin");
        Assert.Equal("Session admin False", await WhoAsync(browser));
        var before = browser.Cookies[("localhost", "berth")];

        using var start = await browser.GetAsync(StepUp);
        var asked = HttpUtility.ParseQueryString(start.Headers.Location!.Query);
        Assert.Equal("gold platinum", asked["acr_values"]);
        Assert.Equal("""{"id_token":{"acr":{"essential":true,"values":["gold","platinum"]}}}""", asked["claims"]);
        acr = "platinum";
        using var end = await browser.FollowAsync(start.Headers.Location.AbsoluteUri);

        Assert.Equal("Session admin True", await end.Content.ReadAsStringAsync());

        // A new session: the one of before has not become more than it was.
        var thief = edge.NewBrowser();
        thief.Cookies[("localhost", "berth")] = before;
        Assert.Equal("stranger", await WhoAsync(thief));
    }

    [Theory]
    [InlineData("silver")]
    [InlineData("")]
    [InlineData("gold platinum")]
    [InlineData("Gold")]
    public async Task StepUp_ProviderDidNotDoIt_SaysSoAndLeavesTheSession(string acr)
    {
        await using var edge = await StartAsync(o => o with { AdministratorAcr = ["gold"] }, claims => claims["acr"] = acr);
        var browser = await edge.SignedInAsync("admin");

        using var end = await browser.FollowAsync(StepUp);

        Assert.Equal(HttpStatusCode.Forbidden, end.StatusCode);
        Assert.Contains("not as strongly", await end.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("Session admin False", await WhoAsync(browser));
    }

    [Theory]
    [InlineData("""["pwd","mfa","otp"]""", true)]
    [InlineData("""["pwd"]""", false)]
    [InlineData("\"mfa\"", false)]
    public async Task Administrator_Methods_HaveToBeThereAll(string amr, bool isAdministrator)
    {
        await using var edge = await StartAsync(
            o => o with { AdministratorAmr = ["mfa", "otp"] }, claims => claims["amr"] = JsonNode.Parse(amr));

        Assert.Equal($"Session admin {isAdministrator}", await WhoAsync(await edge.SignedInAsync("admin")));

        using var start = await edge.NewBrowser().GetAsync(StepUp);
        Assert.Equal("login", HttpUtility.ParseQueryString(start.Headers.Location!.Query)["prompt"]);
    }

    [Fact]
    public async Task Administrator_MaxAge_EndsWithTheTimeAndNeedsAuthTime()
    {
        var hasTime = true;
        FakeProvider? provider = null;
        await using var edge = await StartAsync(
            o => o with { AdministratorMaxAge = TimeSpan.FromMinutes(10) },
            claims =>
            {
                if (hasTime)
                {
                    claims["auth_time"] = (long)claims["iat"]! - 60;
                }
            },
            with: p => provider = p);
        var browser = await edge.SignedInAsync("admin");
        Assert.Equal("Session admin True", await WhoAsync(browser));

        edge.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal("Session admin True", await WhoAsync(browser));
        edge.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("Session admin False", await WhoAsync(browser));

        using var start = await browser.GetAsync(StepUp);
        Assert.Equal("600", HttpUtility.ParseQueryString(start.Headers.Location!.Query)["max_age"]);
        using var end = await browser.FollowAsync(start.Headers.Location.AbsoluteUri);
        Assert.Equal("Session admin True", await end.Content.ReadAsStringAsync());

        hasTime = false;
        Assert.Equal("Session admin False", await WhoAsync(await edge.SignedInAsync("admin")));
        Assert.NotNull(provider);
    }

    [Fact]
    public async Task OrdinarySignIn_AsksForNoClass_AndOthersAreNotTouched()
    {
        await using var edge = await StartAsync(o => o with { AdministratorAcr = ["gold"] }, _ => { });
        var browser = await edge.SignedInAsync("user1");
        using var start = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/login");

        Assert.DoesNotContain("acr_values", start.Headers.Location!.Query, StringComparison.Ordinal);
        Assert.Equal("Session user1 False", await WhoAsync(browser));
        using var page = await browser.GetAsync($"{EdgeFixture.Origin}/auth/workspace?host={EdgeFixture.OtherHost}");
        Assert.DoesNotContain("step_up", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WorkspaceOfSomebodyElse_AdministratorWithoutProof_GetsTheWayToIt()
    {
        var acr = "none";
        await using var edge = await StartAsync(o => o with { AdministratorAcr = ["gold"] }, claims => claims["acr"] = acr);
        var browser = await edge.SignedInAsync("admin");

        using var refused = await browser.FollowAsync($"{EdgeFixture.WorkspaceOrigin}/file");
        var page = await refused.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("step_up=administrator&amp;return=", page, StringComparison.Ordinal);
        Assert.Empty(edge.Upstream.Requests);

        acr = "gold";
        using var end = await browser.FollowAsync(
            $"{EdgeFixture.Origin}/login?step_up=administrator&return={Uri.EscapeDataString(EdgeFixture.WorkspaceOrigin + "/file")}");
        Assert.Equal("from the workspace", await end.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Bearer_AdministratorWithoutProof_GetsTheChallenge()
    {
        await using var edge = await ProductFixture.StartAsync(o => o with
        {
            Edge = o.Edge with
            {
                Issuers = [o.Edge.Issuers[0] with { AdministratorAcr = ["gold"], AdministratorMaxAge = TimeSpan.FromMinutes(5) }],
            },
        });
        using var api = edge.Api("admin");

        using var refused = await api.GetAsync("/api/workspaces?all=true");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        var challenge = refused.Headers.WwwAuthenticate.ToString();
        Assert.Contains("error=\"insufficient_user_authentication\"", challenge, StringComparison.Ordinal);
        Assert.Contains("acr_values=\"gold\"", challenge, StringComparison.Ordinal);
        Assert.Contains("max_age=\"300\"", challenge, StringComparison.Ordinal);
        Assert.Contains("insufficient-user-authentication", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var claims = edge.Provider.AccessTokenClaims(EdgeFixture.Audience);
        (claims["acr"], claims["auth_time"]) = ("gold", (long)claims["iat"]! - 10);
        api.DefaultRequestHeaders.Authorization = new("Bearer", edge.Provider.Sign(claims, "at+jwt"));
        using var let = await api.GetAsync("/api/workspaces?all=true");
        Assert.Equal(HttpStatusCode.OK, let.StatusCode);
    }

    [Fact]
    public async Task Session_AdministratorWithoutProof_GetsTheAddressOfTheSignIn()
    {
        await using var edge = await ProductFixture.StartAsync(o => o with
        {
            Edge = o.Edge with { Issuers = [o.Edge.Issuers[0] with { AdministratorAcr = ["gold"] }] },
        });
        var browser = await edge.SignedInAsync("admin");

        foreach (var path in (string[])["/api/workspaces?all=true", "/api/audit"])
        {
            using var refused = await browser.GetAsync(ProductFixture.Origin + path, ("Accept", "application/json"));
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            var problem = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!;
            Assert.Equal("step-up-required", (string?)problem["reason"]);
            Assert.StartsWith("/login?step_up=administrator", (string?)problem["loginUrl"], StringComparison.Ordinal);
        }
    }

    private static Task<EdgeFixture> StartAsync(
        Func<IssuerOptions, IssuerOptions> issuer, Action<JsonObject> claims, Action<JsonObject>? discovery = null,
        Action<FakeProvider>? with = null) => EdgeFixture.StartAsync(
            p =>
            {
                p.OnIdToken = claims;
                p.OnDiscovery = discovery;
                with?.Invoke(p);
            },
            o => o with { Issuers = [issuer(o.Issuers[0])] });

    private static async Task<string> WhoAsync(Browser browser)
    {
        using var answer = await browser.GetAsync($"{EdgeFixture.Origin}/whoami");
        return await answer.Content.ReadAsStringAsync();
    }
}
