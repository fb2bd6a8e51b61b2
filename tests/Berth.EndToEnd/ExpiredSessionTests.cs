namespace Berth.EndToEnd;

/// <summary>Berth whose sessions soon end, whatever people do.</summary>
public sealed class ShortSessionBerth : BerthFixture
{
    protected override Task<IReadOnlyDictionary<string, string>> ConfigureAsync(string origin, int freePort) =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { ["BERTH_SESSION"] = "00:00:25" });
}

/// <summary>The end of a session by time.</summary>
public sealed class ExpiredSessionTests(ShortSessionBerth berth) : IClassFixture<ShortSessionBerth>
{
    [SkippableFact]
    public async Task Session_EndedByTime_TerminalSaysSoAndSignInLeadsBackToThePage()
    {
        await using var person = await berth.NewPersonAsync();
        var page = await person.NewPageAsync();
        await page.GotoAsync(berth.Origin + "/login?login_hint=user1");
        var studio = new StudioPage(page);
        await studio.ShowsAsync("user1@example.com");
        var address = page.Url + "?folder=deep";
        await page.GotoAsync(address);

        // No hurry: whenever it ends, the page says so.
        await studio.SaysAsync("You are signed out");
        await page.ReloadAsync();

        await studio.ShowsAsync("user1@example.com");
        Assert.Equal(address, page.Url);
    }
}
