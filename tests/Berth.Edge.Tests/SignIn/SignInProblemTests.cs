using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Web;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Berth.Edge.Tests;

/// <summary>Every step of a sign-in that fails says what happened, what it means and what to do.</summary>
public partial class SignInProblemTests
{
    [Fact]
    public void Document_HasEveryReasonAndItsStatus()
    {
        var table = Checkout.Read("docs", "sign-in.md").Split("## What goes wrong")[1];
        var documented = Row().Matches(table)
            .SelectMany(m => m.Groups[1].Value.Split(", ").Select(r => $"{r} {m.Groups[2].Value}")).Order().ToArray();
        string[] others = ["email-not-allowed 403", "group-not-allowed 403", "organization-not-allowed 403", "refused 403"];

        Assert.Equal(SignInProblems.All.Select(p => $"{p.Reason} {p.Status}").Concat(others).Distinct().Order(), documented);
        Assert.All(SignInProblems.All, p => Assert.All((string[])[p.Happened, p.Means, p.Next], t => Assert.EndsWith(".", t)));
    }

    [Theory]
    [InlineData("nonce", "id-token-nonce")]
    [InlineData("aud", "id-token-audience")]
    [InlineData("iss", "id-token-audience")]
    [InlineData("sub", "id-token")]
    [InlineData("signature", "id-token-signature")]
    [InlineData("client", "code-exchange-client")]
    [InlineData("token-down", "code-exchange")]
    [InlineData("cancelled", "access-denied")]
    [InlineData("error", "provider-error")]
    [InlineData("store", "maintenance")]
    public async Task Callback_StepThatFails_HasItsReasonWordsAndRequestId(string step, string reason)
    {
        await using var edge = await EdgeFixture.StartAsync(
            p =>
            {
                p.OnIdToken = c => _ = step switch
                {
                    "nonce" => c["nonce"] = "other",
                    "aud" => c["aud"] = "other",
                    "iss" => c["iss"] = "https://other.example",
                    "sub" => c["sub"] = "",
                    _ => null,
                };
                p.OnIdTokenText = step == "signature"
                    ? t => t[..^4] + (t.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA") : null;
                p.OnRedirect = step switch
                {
                    "cancelled" => url => Error(url, "access_denied"),
                    "error" => url => Error(url, "invalid_scope"),
                    _ => null,
                };
                p.TokenRefusal = step switch
                {
                    "client" => (401, """{"error":"invalid_client"}"""),
                    "token-down" => (503, ""),
                    _ => null,
                };
            },
            services: s =>
            {
                if (step == "store")
                {
                    s.AddSingleton<ISignInRecorder>(new AwayRecorder());
                }
            });
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);

        using var answer = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri, ("Accept", "application/json"));

        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(reason, (string?)problem["reason"]);
        var expected = SignInProblems.All.First(p => p.Reason == reason);
        Assert.Equal(expected.Status, (int)answer.StatusCode);
        Assert.EndsWith("Nothing was changed: workspaces and files are as they were.", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.NotNull((string?)problem["requestId"]);
    }

    // The clock of the provider: five minutes before ours, five minutes behind, and a little.
    [Theory]
    [InlineData(5, 300, "clock-skew", "The clocks differ by 5 minutes: at the identity provider it is later than here.")]
    [InlineData(-5, 60, "clock-skew", "The clocks differ by 5 minutes: at the identity provider it is earlier than here.")]
    [InlineData(-5, 3600, null, null)]
    [InlineData(0.9, 300, null, null)]
    public async Task Callback_ProvidersClock_IsToldAsSuch(double minutes, int life, string? reason, string? words)
    {
        await using var edge = await EdgeFixture.StartAsync(p => p.OnIdToken = c =>
        {
            c["iat"] = (long)c["iat"]! + (long)(minutes * 60);
            c["exp"] = (long)c["iat"]! + life;
        });
        var browser = edge.NewBrowser();

        using var answer = await browser.FollowAsync($"{EdgeFixture.Origin}/login?return=/whoami");

        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(reason is null ? HttpStatusCode.OK : HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(words ?? "Session user1", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callback_LostFlow_BeginsAnewOnceWithAReasonAndThenStops()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        browser.Cookies.Clear();

        using var lost = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);
        Assert.Equal(HttpStatusCode.BadRequest, lost.StatusCode);
        Assert.Contains("not started in this browser", await lost.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var refresh = lost.Headers.GetValues("Refresh").Single();
        Assert.Equal("5;url=/login?again=1&return=%2F", refresh);

        // A browser that keeps nothing.
        using var again = await browser.GetAsync(EdgeFixture.Origin + refresh[6..]);
        browser.Cookies.Clear();
        using var approvedAgain = await browser.GetAsync(again.Headers.Location!.AbsoluteUri);
        using var end = await browser.GetAsync(approvedAgain.Headers.Location!.AbsoluteUri);
        Assert.Equal(HttpStatusCode.BadRequest, end.StatusCode);
        Assert.False(end.Headers.Contains("Refresh"));
        Assert.Contains("keep no cookies", await end.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, edge.Provider.TokenRequests);

        // And one that does.
        using var works = await browser.FollowAsync(EdgeFixture.Origin + refresh[6..]);
        Assert.Contains(browser.Cookies.Keys, c => c.Name == "berth");
    }

    [Theory]
    [InlineData("late")]
    [InlineData("used")]
    public async Task Callback_FailedStateOfSomebodySignedIn_GoesOnToItsTarget(string how)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login?return=%2Fwhoami%3Ftab%3D1");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        var flow = browser.Cookies.Single();
        if (how == "late")
        {
            edge.Clock.Advance(SignInFlow.Lifetime);
        }
        else
        {
            using var first = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);
        }

        using var meanwhile = await browser.FollowAsync($"{EdgeFixture.Origin}/login");
        browser.Cookies[flow.Key] = flow.Value;
        var tokens = edge.Provider.TokenRequests;
        using var answer = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Equal("/whoami?tab=1", answer.Headers.Location!.OriginalString);
        Assert.Equal(tokens, edge.Provider.TokenRequests);
    }

    // Somebody else's code in this browser would sign the person in as that somebody: without the flow's cookie nothing happens.
    [Fact]
    public async Task Callback_AnswerOfAnotherBrowsersSignIn_StartsNoSessionAndAsksNobody()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var attacker = edge.NewBrowser();
        using var start = await attacker.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await attacker.GetAsync(start.Headers.Location!.AbsoluteUri);
        var victim = edge.NewBrowser();
        using var own = await victim.GetAsync($"{EdgeFixture.Origin}/login");

        using var answer = await victim.GetAsync(approved.Headers.Location!.AbsoluteUri);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.DoesNotContain(victim.Cookies.Keys, c => c.Name == "berth");
        Assert.Equal(0, edge.Provider.TokenRequests);
        var state = HttpUtility.ParseQueryString(start.Headers.Location.Query)["state"]!;
        Assert.True(StrictBase64Url.Decode(state)!.Length * 8 >= 128);
    }

    [Theory]
    [InlineData("login_hint=a%40b.example&ui_locales=de%20en&prompt=select_account&screen_hint=signup", true)]
    [InlineData("prompt=create", true)]
    [InlineData("prompt=none", false)]
    [InlineData("prompt=login%20consent", false)]
    [InlineData("prompt=login&prompt=login", false)]
    [InlineData("screen_hint=evil", false)]
    [InlineData("ui_locales=de%26acr_values%3Dx", false)]
    [InlineData("step_up=root", false)]
    public async Task Login_Hints_ArePassedOnFromAnAllowListAlone(string query, bool allowed)
    {
        await using var edge = await EdgeFixture.StartAsync();

        using var answer = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/login?{query}&acr_values=x&redirect_uri=x&max_age=1");

        Assert.Equal(allowed ? HttpStatusCode.SeeOther : HttpStatusCode.BadRequest, answer.StatusCode);
        if (allowed)
        {
            var asked = HttpUtility.ParseQueryString(answer.Headers.Location!.Query);
            var wanted = HttpUtility.ParseQueryString(query);
            Assert.All(wanted.AllKeys, k => Assert.Equal(wanted[k], asked[k]));
            Assert.Equal($"{EdgeFixture.Origin}/auth/callback", asked["redirect_uri"]);
            Assert.Null(asked["acr_values"]);
            Assert.Null(asked["max_age"]);
        }
    }

    [Theory]
    [InlineData(20)]
    [InlineData(700)]
    [InlineData(1490)]
    public async Task Login_ManyTabsWithLongTargets_CookiesStayBelowEightKibibytes(int length)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var others = $"theirs={new string('x', 1000)}";
        HttpResponseMessage? last = null;
        for (var i = 0; i < 12; i++)
        {
            last?.Dispose();
            last = await browser.GetAsync(
                $"{EdgeFixture.Origin}/login?prompt=login&return=/{new string('a', length)}",
                ("Cookie", $"{others}; {browser.CookieHeader("localhost")}"));
            edge.Clock.Advance(TimeSpan.FromSeconds(1));
            var header = $"{others}; {browser.CookieHeader("localhost")}";
            Assert.True(header.Length < 8 * 1024, $"{i}: {header.Length}");
        }

        // The newest tab is never the one that goes.
        using var end = await browser.FollowAsync(last!.Headers.Location!.AbsoluteUri);
        Assert.Equal(length + 1, end.RequestMessage!.RequestUri!.AbsolutePath.Length);
        last.Dispose();
    }

    private static string Error(string url, string error) =>
        url[..url.IndexOf('?', StringComparison.Ordinal)] + $"?error={error}" + url[url.IndexOf("&state", StringComparison.Ordinal)..];

    [GeneratedRegex(@"^\| ([a-z, -]+) \| (\d{3}) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    private sealed class AwayRecorder : ISignInRecorder
    {
        public ValueTask<SignInRecord> RecordAsync(SignedInPerson person, CancellationToken cancellationToken) =>
            throw new SignInUnavailableException();
    }
}
