using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>Berth with workspaces as folders of one host.</summary>
public sealed class PathPrefixBerth : BerthFixture
{
    protected override Task<IReadOnlyDictionary<string, string>> ConfigureAsync(string origin, int freePort) =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { ["BERTH_PATH_PREFIX"] = "on" });
}

/// <summary>A person's way through the product, in a browser, where workspaces are folders of one host.</summary>
public sealed partial class PathPrefixJourneyTests(PathPrefixBerth berth) : IClassFixture<PathPrefixBerth>
{
    [SkippableFact]
    public async Task Person_WorksInAFolderAndSignsOut_TerminalEndsAndNothingIsLeft()
    {
        await using var person = await berth.NewPersonAsync();
        var page = await person.NewPageAsync();
        var sockets = new WatchedSockets(page);
        await page.GotoAsync(berth.Origin + "/login?login_hint=user1");
        var studio = new StudioPage(page);
        await studio.ShowsAsync("user1@example.com");
        Assert.Matches(FolderUrl(), page.Url);

        // In the terminal: what the program was told is where the browser is.
        await studio.RunAsync("echo at-$WORKSPACE_URL/ > note.txt && cat note.txt");
        await studio.TerminalShowsAsync("at-http");
        var area = await studio.OpenAsync("note.txt");
        Assert.Equal($"at-{page.Url}\n", await area.InputValueAsync());
        await studio.SaveAsync(area, "edited in a folder\n");

        // After a reload the same terminal and the saved file are there.
        await page.ReloadAsync();
        await studio.ShowsAsync("user1@example.com");
        await studio.TerminalShowsAsync("at-http");
        Assert.Equal("edited in a folder\n", await (await studio.OpenAsync("note.txt")).InputValueAsync());

        // Another workspace, a folder beside it, would not be sent the cookie.
        var cookie = Assert.Single(await person.CookiesAsync(), c => c.Domain == new Uri(page.Url).Host);
        Assert.Equal(new Uri(page.Url).AbsolutePath, cookie.Path);

        var ended = sockets.LatestEnds;
        var dashboard = await person.NewPageAsync();
        await dashboard.GotoAsync(berth.Origin + "/logout");
        await dashboard.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Assertions.Expect(dashboard.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToHaveCountAsync(0);
        await ended;
        await studio.SaysAsync("You are signed out");
        await page.ReloadAsync();
        Assert.StartsWith(berth.Provider, page.Url, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task OtherPerson_InSomebodysFolder_IsToldThatPeopleOpenTheirOwn()
    {
        await using var owner = await berth.NewPersonAsync();
        var page = await owner.NewPageAsync();
        await page.GotoAsync(berth.Origin + "/login?login_hint=user2");
        await new StudioPage(page).ShowsAsync("user2@example.com");

        await using var admin = await berth.NewPersonAsync();
        var other = await admin.NewPageAsync();
        await other.GotoAsync(berth.Origin + "/login?login_hint=admin&return=%2Ftos");
        var answer = await other.GotoAsync(page.Url);

        Assert.Equal(403, answer!.Status);
        await Assertions.Expect(other.GetByText("you can open your own only")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task Folder_WithoutSlash_AndTheBareHost_LeadToWhatWasMeant()
    {
        await using var person = await berth.NewPersonAsync();
        var page = await person.NewPageAsync();
        await page.GotoAsync(berth.Origin + "/login?login_hint=user1");
        await new StudioPage(page).ShowsAsync("user1@example.com");
        var folder = page.Url;

        await page.GotoAsync(folder.TrimEnd('/'));
        Assert.Equal(folder, page.Url);
        await page.GotoAsync(new Uri(new Uri(folder), "/").AbsoluteUri);
        await new StudioPage(page).ShowsAsync("user1@example.com");
        Assert.Equal(folder, page.Url);
    }

    [GeneratedRegex(@"^http://workspaces\.localhost:\d+/w/ws-[a-z2-7]{16}/$")]
    private static partial Regex FolderUrl();
}
