using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>What a person does in Studio, by what they see there.</summary>
internal sealed class StudioPage(IPage page)
{
    public IPage Page => page;

    /// <summary>Waits until the workspace shows who is there.</summary>
    public Task ShowsAsync(string text) => Assertions.Expect(page.Locator("#person")).ToContainTextAsync(text, new() { Timeout = 60_000 });

    /// <summary>Types a command into the terminal.</summary>
    public async Task RunAsync(string command)
    {
        await Assertions
            .Expect(page.Locator("#terminal-panes .xterm-rows").First)
            .ToContainTextAsync(PromptEnd(), new() { Timeout = 30_000 });
        await page.Locator("#terminal-panes .xterm-helper-textarea").First.FocusAsync();
        await page.Keyboard.TypeAsync(command);
        await page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Waits until the terminal shows a text.</summary>
    public Task TerminalShowsAsync(string text) =>
        Assertions.Expect(page.Locator("#terminal-panes .xterm-rows").First).ToContainTextAsync(text, new() { Timeout = 30_000 });

    /// <summary>Waits until the terminal's own line says a text: not what runs in it, but the page.</summary>
    public Task SaysAsync(string text) =>
        Assertions.Expect(page.Locator("#terminal-panes .pane-note").First).ToContainTextAsync(text, new() { Timeout = 60_000 });

    /// <summary>Opens a file from the tree and returns its text area.</summary>
    public async Task<ILocator> OpenAsync(string name)
    {
        var item = page.Locator($"#tree li[role=treeitem][data-path='{name}'] .row").First;
        await page.Locator("#refresh").ClickAsync();
        await item.DblClickAsync();
        var area = page.Locator("#documents textarea").Last;
        await area.WaitForAsync();
        return area;
    }

    /// <summary>Saves what is open, by the keyboard, and waits for the word that it is saved.</summary>
    public async Task SaveAsync(ILocator area, string text)
    {
        await area.FillAsync(text);
        var saved = page.WaitForResponseAsync(r =>
            r.Request.Method == "PUT" && r.Url.Contains("api/files/content", StringComparison.Ordinal)
        );
        await page.Keyboard.PressAsync("Control+s");
        Assert.True((await saved).Ok);
    }

    // A shell that is ready has written its prompt; # for root, $ for everybody else.
    private static System.Text.RegularExpressions.Regex PromptEnd() => new("[$#]\\s*$");
}
