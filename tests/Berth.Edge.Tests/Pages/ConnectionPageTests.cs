using System.Net;
using AngleSharp.Dom;
using Berth.Accounts;
using Berth.Edge.Tests.Progress;
using Berth.Edge.Tests.Vault;
using Testing;

namespace Berth.Edge.Tests.Pages;

/// <summary>The page on which people connect and disconnect, as a browser without script uses it.</summary>
public class ConnectionPageTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private const string Page = ProductFixture.Origin + ConnectionPages.Path;
    private const string Card = "#c-calendar ";

    [SkippableFact]
    public async Task Connect_ThenDisconnect_WorksByForms()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var before = await PageAsync(ann, Page);
        using var on = await SubmitAsync(ann, before, Card + "form");
        var back = await ThroughAsync(ann, on);

        using var connectedAnswer = await ann.GetAsync(back);
        await PageTests.AssertStrictAsync(connectedAnswer);
        var connected = await ProgressPageTests.PageAsync(connectedAnswer);
        using var gone = await SubmitAsync(ann, connected, Card + "form[action$='/disconnect']");
        var after = await PageAsync(ann, Page);

        Assert.Equal("Not connected", Badge(before));
        Assert.StartsWith(Page + "?connection=calendar&persistent_token_id=", back, StringComparison.Ordinal);
        Assert.Equal("Connected", Badge(connected));
        Assert.Contains("“calendar” is connected", connected.QuerySelector(".notice")!.TextContent, StringComparison.Ordinal);
        Assert.Contains((await edge.Get<ITokenVault>().ListAsync(Key(edge, "ann"), default)).Single().Id.ToString(),
            connected.QuerySelector(Card)!.TextContent, StringComparison.Ordinal);
        Assert.Null(connected.QuerySelector(Card + "form[action$='/connect']"));
        Assert.Equal((HttpStatusCode.SeeOther, "/connections"), (gone.StatusCode, gone.Headers.Location!.OriginalString));
        Assert.Equal("Not connected", Badge(after));
    }

    [SkippableFact]
    public async Task Connect_AnswerOfTheForm_LeadsOnWithoutRedirectingTheForm()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");

        using var on = await SubmitAsync(ann, await PageAsync(ann, Page), Card + "form");

        // form-action is 'self', and browsers hold the redirects after a form against it.
        Assert.Equal(HttpStatusCode.OK, on.StatusCode);
        Assert.Contains("form-action 'self'", on.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal($"0; url={(await ProgressPageTests.PageAsync(on)).QuerySelector("a.primary")!.GetAttribute("href")}",
            on.Headers.GetValues("Refresh").Single());
    }

    [SkippableFact]
    public async Task Connect_DeniedAtTheProvider_ComesBackToThePageThatSaysSo()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        using var on = await SubmitAsync(ann, await PageAsync(ann, Page), Card + "form");

        var back = await ThroughAsync(ann, on, url => url.Replace("code=", "error=access_denied&x=", StringComparison.Ordinal));
        var page = await PageAsync(ann, back);

        Assert.Contains("You did not allow it", page.QuerySelector(".notice.bad")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("Not connected", Badge(page));
    }

    [SkippableFact]
    public async Task Forms_WithoutTheSessionsToken_ChangeNothing()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var bob = await edge.SignedInAsync("bob");
        edge.Provider.Subject = "ann";
        var id = await VaultFixture.StoredAsync(ann);
        var bobsToken = (await PageAsync(bob, Page)).QuerySelector("input[name=csrf]")!.GetAttribute("value")!;

        foreach (var path in new[] { $"/{id}/disconnect", "/calendar/connect" })
        {
            using var none = await PostAsync(ann, Page + path, "");
            using var foreign = await PostAsync(ann, Page + path, bobsToken);
            Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (none.StatusCode, foreign.StatusCode));
        }

        Assert.Equal("Connected", Badge(await PageAsync(ann, Page)));
    }

    [SkippableFact]
    public async Task Disconnect_SomebodyElses_IsNotFoundAndStays()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var id = await VaultFixture.StoredAsync(ann);
        var bob = await edge.SignedInAsync("bob");
        var token = (await PageAsync(bob, Page)).QuerySelector("input[name=csrf]")!.GetAttribute("value")!;

        using var answer = await PostAsync(bob, $"{Page}/{id}/disconnect", token);
        using var garbage = await PostAsync(bob, $"{Page}/x/disconnect", token);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (answer.StatusCode, garbage.StatusCode));
        Assert.Equal("Connected", Badge(await PageAsync(ann, Page)));
        Assert.Equal("Not connected", Badge(await PageAsync(bob, Page)));
    }

    [SkippableFact]
    public async Task List_TokenThatEnded_SaysWhyAndConnectsItAgain()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var (_, stored) = await VaultFixture.ConsentAsync(ann, query: "?purpose=nightly");
        edge.Provider.OnTokenAnswer = null;
        using var refused = await ann.CallAsync(
            HttpMethod.Post, $"access-token?persistent_token_id={stored["persistent_token_id"]}&force_refresh=true");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        edge.Provider.OnTokenAnswer = answer => answer["refresh_token"] = "another";

        var ended = await PageAsync(ann, Page);
        using var on = await SubmitAsync(ann, ended, Card + "form:has(input[value=nightly])");
        var again = await PageAsync(ann, await ThroughAsync(ann, on));

        Assert.Equal("Allow it again", Badge(ended));
        Assert.Contains("does not accept any more", ended.QuerySelector(Card)!.TextContent, StringComparison.Ordinal);
        Assert.Equal("Connected", Badge(again));
        Assert.Contains((string)stored["persistent_token_id"]!, again.QuerySelector(Card)!.TextContent, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task List_StrangerWithAQuery_SignsInAndComesBackToIt()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);

        using var answer = await edge.NewBrowser().GetAsync(Page + "?connection=calendar");

        Assert.Equal("/login?return=%2Fconnections%3Fconnection%3Dcalendar", answer.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("error=%3Cscript%3E&connection=%3Cscript%3E")]
    [InlineData("persistent_token_id=0198c0de-1111-7222-8333-444455556666&connection=calendar&connection=x")]
    public async Task List_MadeUpQuery_ShowsNothingOfIt(string query)
    {
        await using var edge = await ProductFixture.StartAsync();
        var ann = await edge.SignedInAsync("ann");

        using var answer = await ann.GetAsync($"{Page}?{query}");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await PageTests.AssertStrictAsync(answer);
        Assert.DoesNotContain("is connected", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_NothingConfigured_SaysSoAndIsInNoMenu()
    {
        await using var edge = await ProductFixture.StartAsync();
        var ann = await edge.SignedInAsync("ann");

        var page = await PageAsync(ann, Page);

        Assert.Contains("No connections are configured", page.QuerySelector("main")!.TextContent, StringComparison.Ordinal);
        Assert.Null(page.QuerySelector("nav a[href='/connections']"));
    }

    [Fact]
    public async Task List_NoVault_SaysSoAndOffersNothing()
    {
        await using var edge = await ProductFixture.StartAsync(o => o with
        {
            Connections = new Dictionary<string, ConnectionOptions> { ["calendar"] = new() { Provider = "127-0-0-1" } },
        });
        var ann = await edge.SignedInAsync("ann");

        var page = await PageAsync(ann, Page);

        Assert.NotNull(page.QuerySelector("nav a[href='/connections']"));
        Assert.Contains("configure a vault", page.QuerySelector(".notice.bad")!.TextContent, StringComparison.Ordinal);
        Assert.Empty(page.QuerySelectorAll("main form"));
    }

    private static string Badge(IDocument page) => page.QuerySelector(Card + ".badge")!.TextContent;

    private static PersonKey Key(ProductFixture edge, string subject) => new(edge.Provider.Issuer, subject);

    private static async Task<IDocument> PageAsync(Browser browser, string url)
    {
        using var answer = await browser.GetAsync(url);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await ProgressPageTests.PageAsync(answer);
    }

    private static Task<HttpResponseMessage> SubmitAsync(Browser browser, IDocument page, string form)
    {
        var found = page.QuerySelector(form)!;
        var fields = found.QuerySelectorAll("input").Select(i =>
            KeyValuePair.Create(i.GetAttribute("name")!, i.GetAttribute("value") ?? ""));
        return browser.SendAsync(ProductFixture.Origin + found.GetAttribute("action"), HttpMethod.Post,
            new FormUrlEncodedContent(fields), ("Origin", ProductFixture.Origin));
    }

    private static Task<HttpResponseMessage> PostAsync(Browser browser, string url, string token) => browser.SendAsync(
        url, HttpMethod.Post, new FormUrlEncodedContent([new("csrf", token), new("purpose", "")]), ("Origin", ProductFixture.Origin));

    /// <summary>Goes to the provider, which asks nothing here, and back: the address that the callback leads to.</summary>
    private static async Task<string> ThroughAsync(Browser browser, HttpResponseMessage on, Func<string, string>? change = null)
    {
        var link = (await ProgressPageTests.PageAsync(on)).QuerySelector("a.primary")!.GetAttribute("href")!;
        using var provider = await browser.GetAsync(link);
        var callback = provider.Headers.Location!.AbsoluteUri;
        using var answer = await browser.GetAsync(change?.Invoke(callback) ?? callback);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return new Uri(new Uri(callback), answer.Headers.Location!).AbsoluteUri;
    }
}
