using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>What an end of Berth, orderly or not, leaves: nothing running, nothing lost.</summary>
public sealed class RecoveryTests : BerthFixture
{
    [SkippableFact]
    public async Task Interrupt_ThenRunAgain_LeavesNoProcessAndKeepsTheFile()
    {
        await WriteFileAsync("kept.txt", "kept over an orderly end\n");

        await Berth.InterruptAsync();

        Assert.Equal(0, Berth.ExitCode);
        Assert.Empty(Processes.Touching(Folder));
        await StartAsync();
        Assert.Equal("kept over an orderly end\n", await ReadFileAsync("kept.txt"));
    }

    [SkippableFact]
    public async Task Kill_ThenRunAgain_EndsTheOrphanAndKeepsTheFile()
    {
        await WriteFileAsync("kept.txt", "kept over a crash\n");
        var before = Processes
            .Touching(Folder)
            .Where(p => p.Command.Contains("Berth.Studio", StringComparison.Ordinal))
            .Select(p => p.Pid)
            .ToList();
        Assert.NotEmpty(before);

        await Berth.KillAsync();
        await StartAsync();

        Assert.Equal("kept over a crash\n", await ReadFileAsync("kept.txt"));
        var after = Processes
            .Touching(Folder)
            .Where(p => p.Command.Contains("Berth.Studio", StringComparison.Ordinal))
            .Select(p => p.Pid)
            .ToList();
        Assert.True(
            after.Count == 1,
            $"One workspace process, adopted or new: {string.Join(", ", after)} (before: {string.Join(", ", before)})."
        );
    }

    private async Task WriteFileAsync(string name, string content)
    {
        await using var person = await NewPersonAsync();
        var studio = await OpenAsync(person);
        await studio.RunAsync($"touch {name} && echo made");
        await studio.TerminalShowsAsync("made");
        await studio.SaveAsync(await studio.OpenAsync(name), content);
    }

    private async Task<string> ReadFileAsync(string name)
    {
        await using var person = await NewPersonAsync();
        return await (await (await OpenAsync(person)).OpenAsync(name)).InputValueAsync();
    }

    private async Task<StudioPage> OpenAsync(IBrowserContext person)
    {
        var page = await person.NewPageAsync();
        await page.GotoAsync(Origin + "/login?login_hint=user1");
        var studio = new StudioPage(page);
        await studio.ShowsAsync("user1@example.com");
        return studio;
    }
}
