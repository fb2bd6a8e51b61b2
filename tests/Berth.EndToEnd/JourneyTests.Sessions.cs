using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>Beginnings and ends of sessions, as people meet them.</summary>
public abstract partial class JourneyTests
{
    [SkippableFact]
    public async Task TwoTabs_SigningInAtOnce_BothArrive()
    {
        await using var person = await berth.NewPersonAsync();
        var first = await person.NewPageAsync();
        var second = await person.NewPageAsync();
        await first.GotoAsync(berth.Origin + "/login?return=%2Ftos");
        await second.GotoAsync(berth.Origin + "/login?return=%2Fprivacy");

        await PassProviderAsync(first, "user1");
        await first.WaitForURLAsync(berth.Origin + "/tos");
        await PassProviderAsync(second, "user1");
        await second.WaitForURLAsync(berth.Origin + "/privacy");

        await first.ReloadAsync();
        foreach (var page in (IPage[])[first, second])
        {
            await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { NameRegex = SignOut() })).ToBeVisibleAsync();
        }

        // Each took its own flow with it.
        Assert.DoesNotContain(await person.CookiesAsync(), c => c.Name.Contains("berth-flow-", StringComparison.Ordinal));
    }

    /// <summary>
    /// Whose sign-in takes longer than a flow lasts: by then the browser has thrown its cookie away, which is done here at once.
    /// </summary>
    [SkippableFact]
    public async Task Provider_TakesTooLong_ThePageLeadsToASignInThatWorks()
    {
        await using var person = await berth.NewPersonAsync();
        var page = await person.NewPageAsync();
        await page.GotoAsync(berth.Origin + "/login?return=%2Fprivacy");
        var flow = Assert.Single(await person.CookiesAsync(), c => c.Name.Contains("berth-flow-", StringComparison.Ordinal));
        Assert.NotEqual(-1, flow.Expires);
        await person.ClearCookiesAsync(new() { Name = flow.Name });

        await PassProviderAsync(page, "user1");

        await Assertions.Expect(page.GetByText("took longer than ten minutes")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in again" }).ClickAsync();
        await page.WaitForURLAsync(WorkspaceUrl());
        await new StudioPage(page).ShowsAsync(ShownAs("user1"));
    }

    [SkippableFact]
    public async Task SignOutEverywhere_TerminalOpenInAnotherBrowser_EndsItAndThePageSaysWhyAndGoesOnAfterSignIn()
    {
        await using var person = await berth.NewPersonAsync();
        await using var elsewhere = await berth.NewPersonAsync();
        var (studio, sockets) = await OpenTerminalAsync(person, "user2");
        var ended = sockets.LatestEnds;

        var other = await SignInAsync(elsewhere, "user2");
        await other.Page.GotoAsync(berth.Origin + "/dashboard");
        Assert.Equal(204, await other.Page.EvaluateAsync<int>("() => fetch('/api/me/sessions', { method: 'DELETE' }).then(r => r.status)"));

        await ended;
        await studio.SaysAsync("You are signed out");
        var again = await person.RunAndWaitForPageAsync(() =>
            studio.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in again" }).ClickAsync());
        await new StudioPage(again).ShowsAsync(ShownAs("user2"));
        await Assertions.Expect(studio.Page.Locator("#terminal-panes .pane-note").First).ToBeHiddenAsync(new() { Timeout = 60_000 });
    }

    [SkippableFact]
    public async Task SignOut_Cookies_AreGoneFromTheEdgeAtOnceAndFromTheWorkspaceAtTheNextVisit()
    {
        await using var person = await berth.NewPersonAsync();
        var studio = await SignInAsync(person, "user1");
        await studio.ShowsAsync(ShownAs("user1"));
        var workspace = studio.Page.Url;
        var cdp = await person.NewCDPSessionAsync(studio.Page);
        Assert.Equal(["berth", "berth-ws"], await OursAsync(cdp));

        var page = await person.NewPageAsync();
        await page.GotoAsync(berth.Origin + "/logout");
        var left = page.WaitForResponseAsync(r => r.Request.Method == "POST" && r.Url == berth.Origin + "/logout");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = SignOut() }).ClickAsync();
        Assert.Equal(200, (await left).Status);
        Assert.Equal(["berth-ws"], await OursAsync(cdp));

        // A dead cookie; the next visit takes it away, and leads through sign-in, where a provider may still know the person. Not in the page
        // that signed out: that one may still be on its way to the provider.
        var dead = Assert.Single(await person.CookiesAsync(), c => c.Name == "berth-ws").Value;
        var visit = await person.NewPageAsync();
        await visit.GotoAsync(workspace);
        Assert.DoesNotContain(await person.CookiesAsync(), c => c.Value == dead);
    }

    /// <summary>Signs in and waits until the terminal in Studio runs.</summary>
    internal async Task<(StudioPage Studio, WatchedSockets Sockets)> OpenTerminalAsync(IBrowserContext person, string name)
    {
        var page = await person.NewPageAsync();
        var sockets = new WatchedSockets(page);
        var studio = await SignInAsync(page, name);
        await studio.ShowsAsync(ShownAs(name));
        await studio.RunAsync("echo open-$((6*7))");
        await studio.TerminalShowsAsync("open-42");
        return (studio, sockets);
    }

    // What the browser holds, HttpOnly or not; the development provider's cookie is on the same host, and its own affair.
    private static async Task<IReadOnlyList<string>> OursAsync(ICDPSession cdp)
    {
        var answer = await cdp.SendAsync("Network.getAllCookies");
        return [.. answer!.Value.GetProperty("cookies").EnumerateArray().Select(c => c.GetProperty("name").GetString()!)
            .Where(n => OurCookie().IsMatch(n)).Order(StringComparer.Ordinal)];
    }

    [GeneratedRegex("^(__Host-|__Secure-)?berth(-ws|-hop|-flow-.*)?$")]
    private static partial Regex OurCookie();
}
