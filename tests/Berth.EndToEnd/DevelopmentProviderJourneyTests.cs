using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>Berth with its own development provider.</summary>
public sealed class DevelopmentBerth : BerthFixture;

/// <summary>The journey, signed in by the development provider.</summary>
public sealed class DevelopmentProviderJourneyTests(DevelopmentBerth berth) : JourneyTests(berth), IClassFixture<DevelopmentBerth>
{
    private readonly DevelopmentBerth _berth = berth;

    [Fact]
    public async Task Stranger_NavigatesToWorkspaceHost_IsSentToSignIn()
    {
        var host = $"ws-aaaaaaaaaaaaaaaa.{new Uri(_berth.Origin).Authority}";

        var (status, head) = await RawHttp.SendAsync(_berth.Origin, $"GET / HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nConnection: close\r\n\r\n");

        Assert.InRange(status, 302, 303);
        Assert.Contains($"location: {_berth.Origin}/", head, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Stranger_UpgradesOnWorkspaceHost_GetsUnauthorized()
    {
        Assert.Equal(401, await RawHttp.UpgradeAsync(_berth.Origin, $"ws-aaaaaaaaaaaaaaaa.{new Uri(_berth.Origin).Authority}", ""));
    }

    [SkippableFact]
    public async Task LoginHint_OnLoginPage_SignsInWithoutAClick()
    {
        await using var person = await _berth.NewPersonAsync();
        var page = await person.NewPageAsync();

        await page.GotoAsync(_berth.Origin + "/login?login_hint=user2");

        await new StudioPage(page).ShowsAsync("user2@example.com");
    }

    protected override Task PassProviderAsync(IPage page, string person) => page.Locator($"button[value={person}]").ClickAsync();

    protected override string ShownAs(string person) => $"{person}@example.com";
}
