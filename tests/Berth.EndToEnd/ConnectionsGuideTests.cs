using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Testing;

namespace Berth.EndToEnd;

/// <summary>The commands of docs/connections-guide.md, run as they stand; only ports and the id that a person pastes are put in.</summary>
public sealed partial class ConnectionsGuideTests : BerthFixture
{
    private const string PastedId = "0198c0de-1111-7222-8333-444455556666";

    [SkippableFact]
    public async Task CommandLine_FromConsentToDisconnect_DoesWhatThePageSays()
    {
        SkipWithoutTools();
        var blocks = Blocks("## From the command line", "sh");
        Assert.Equal(5, blocks.Count);
        await using var person = await NewPersonAsync();
        var page = await person.NewPageAsync();
        await page.GotoAsync($"{Origin}/login?login_hint=user1");
        await new StudioPage(page).ShowsAsync("user1@example.com");

        var before = await ShellAsync(blocks[0] + blocks[1]);
        Assert.Contains("\"subject\": \"dev-user1\"", before.Output, StringComparison.Ordinal);
        Assert.Contains($"\"consentUrl\": \"{Origin}/connections", before.Output, StringComparison.Ordinal);

        var begun = await ShellAsync(Setting(blocks[0]) + blocks[2]);
        await page.GotoAsync(begun.Output.Trim());
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/offline-token/callback"));
        var id = await page.Locator("main code").InnerTextAsync();

        var called = await ShellAsync(Setting(blocks[0]) + blocks[1]);
        Assert.Contains("\"sub\": \"dev-user1\"", called.Output, StringComparison.Ordinal);
        var direct = await ShellAsync(Setting(blocks[0]) + blocks[3].Replace(PastedId, id, StringComparison.Ordinal));
        Assert.Contains("\"token_type\": \"Bearer\"", direct.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("access_token\"", direct.Output, StringComparison.Ordinal);
        Assert.Contains("\"sub\": \"dev-user1\"", direct.Output, StringComparison.Ordinal);

        var ended = await ShellAsync($"{Setting(blocks[0])}id={id}\n{blocks[4]}{blocks[1]}");
        Assert.Contains("\"dry_run\": true", ended.Output, StringComparison.Ordinal);
        Assert.Contains("\"revoked\": true", ended.Output, StringComparison.Ordinal);
        Assert.Contains("consentUrl", ended.Output, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("bash", "bash")]
    [InlineData("python", "python3")]
    public async Task Script_InAWorkspaceAndOnOnesOwnMachine_TellsWhatToDoAndThenTheAnswer(string language, string program)
    {
        SkipWithoutTools();
        Skip.If(Tools.Find(program) is null, $"needs {program}");
        var script = Path.Combine(Folder, "script-" + language);
        await File.WriteAllTextAsync(script, Assert.Single(Blocks("## From a script", language)));
        var user = language == "bash" ? "user1" : "user2";
        await using var person = await NewPersonAsync();
        var page = await person.NewPageAsync();
        await page.GotoAsync($"{Origin}/login?login_hint={user}");
        await new StudioPage(page).ShowsAsync($"{user}@example.com");

        // What a program in the workspace finds: the environment of its process.
        var name = new Uri(page.Url).Host.Split('.')[0];
        var workspace = Environment(name);
        var own = new Dictionary<string, string>
        {
            ["BERTH_TOKEN"] = (await new HttpClient().GetStringAsync($"{Provider}/access-token/{user}")).Trim(),
            ["BERTH_PROXY_URL"] = Origin + "/proxy",
        };
        Assert.Equal(own["BERTH_PROXY_URL"], workspace["BERTH_PROXY_URL"]);

        foreach (var variables in new[] { workspace, own })
        {
            var refused = await ShellAsync($"{program} {script}", variables);
            Assert.NotEqual(0, refused.Code);
            Assert.Contains($"Connect first: {Origin}/connections?connection=profile#c-profile", refused.Output, StringComparison.Ordinal);
        }

        // By the link that the script printed.
        await page.GotoAsync($"{Origin}/connections?connection=profile#c-profile");
        await page.GetByRole(AriaRole.Button, new() { Name = "Connect" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByText("“profile” is connected")).ToBeVisibleAsync();
        foreach (var variables in new[] { workspace, own })
        {
            var answered = await ShellAsync($"{program} {script}", variables);
            Assert.True(answered.Code == 0, answered.Output);
            Assert.Contains($"dev-{user}", answered.Output, StringComparison.Ordinal);
        }
    }

    private void SkipWithoutTools()
    {
        Skip.IfNot(HasVault, "needs PostgreSQL's programs");
        Skip.If(Tools.Find("jq") is null || Tools.Find("curl") is null, "needs jq and curl");
    }

    /// <summary>The variables of a block, without what it runs.</summary>
    private static string Setting(string block) => string.Concat(block.Split('\n').Take(2).Select(l => l + "\n"));

    private static Dictionary<string, string> Environment(string workspace)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            string[] variables;
            try
            {
                variables = File.ReadAllText(Path.Combine(folder, "environ")).Split('\0');
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            if (
                variables.Contains("WORKSPACE_NAME=" + workspace)
                && variables.Any(v => v.StartsWith("BERTH_TOKEN_FILE=", StringComparison.Ordinal))
            )
            {
                return variables.Where(v => v.StartsWith("BERTH_", StringComparison.Ordinal)).Select(v => v.Split('=', 2))
                    .ToDictionary(v => v[0], v => v[1]);
            }
        }

        throw new InvalidOperationException($"No process of {workspace} has BERTH_TOKEN_FILE.");
    }

    private List<string> Blocks(string heading, string language)
    {
        var text = Documentation("connections-guide.md")
            .Replace("http://localhost:8080", Origin, StringComparison.Ordinal)
            .Replace("http://localhost:8081", Provider, StringComparison.Ordinal);
        var section = text[text.IndexOf(heading, StringComparison.Ordinal)..];
        section = section[..(section.IndexOf("\n## ", 3, StringComparison.Ordinal) is > 0 and var end ? end : section.Length)];
        return [.. Block().Matches(section).Where(m => m.Groups[1].Value == language).Select(m => m.Groups[2].Value)];
    }

    private async Task<(int Code, string Output)> ShellAsync(string script, IReadOnlyDictionary<string, string>? variables = null)
    {
        var info = new ProcessStartInfo("bash", ["-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        info.Environment.Remove("BERTH_TOKEN");
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        using var shell = Process.Start(info)!;
        var error = shell.StandardError.ReadToEndAsync();
        var output = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return (shell.ExitCode, output + await error);
    }

    [GeneratedRegex("```([a-z]+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
