using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Testing;

namespace Berth.EndToEnd;

/// <summary>A person's way through the whole product, in a browser; the same with every provider.</summary>
public abstract partial class JourneyTests(BerthFixture berth)
{
    /// <summary>Signs in on the provider's own pages, from its first page to the redirect back.</summary>
    protected abstract Task PassProviderAsync(IPage page, string person);

    /// <summary>What Studio shows of that person.</summary>
    protected abstract string ShownAs(string person);

    [SkippableFact]
    public async Task Person_SignsInEditsStopsAndStarts_FindsTheirFileAgain()
    {
        await using var person = await berth.NewPersonAsync();
        var studio = await SignInAsync(person, "user1");
        await studio.ShowsAsync(ShownAs("user1"));
        var name = new Uri(studio.Page.Url).Host.Split('.')[0];
        Assert.StartsWith("ws-", name, StringComparison.Ordinal);

        var marker = Guid.NewGuid().ToString("N")[..8];
        await studio.RunAsync($"echo from-terminal-$((6*7)) > note-{marker}.txt && cat note-{marker}.txt");
        await studio.TerminalShowsAsync("from-terminal-42");
        var area = await studio.OpenAsync($"note-{marker}.txt");
        Assert.Equal("from-terminal-42\n", await area.InputValueAsync());
        await studio.SaveAsync(area, $"edited in the browser {marker}\n");

        var dashboard = await person.NewPageAsync();
        await dashboard.GotoAsync(berth.Origin + "/dashboard");
        await StopAsync(dashboard);
        await dashboard.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).First.ClickAsync();
        await Assertions.Expect(dashboard.GetByText("Running").First).ToBeVisibleAsync(new() { Timeout = 60_000 });

        var again = new StudioPage(await person.NewPageAsync());
        await again.Page.GotoAsync($"http://{name}.{new Uri(berth.Origin).Authority}/");
        await again.ShowsAsync(ShownAs("user1"));
        var found = await again.OpenAsync($"note-{marker}.txt");
        Assert.Equal($"edited in the browser {marker}\n", await found.InputValueAsync());
    }

    [SkippableFact]
    public async Task OtherPerson_OnForeignHost_IsForbiddenByHttpAndByUpgrade()
    {
        await using var owner = await berth.NewPersonAsync();
        await using var other = await berth.NewPersonAsync();
        var studio = await SignInAsync(owner, "user1");
        await studio.ShowsAsync(ShownAs("user1"));
        var host = new Uri(studio.Page.Url).Authority;
        await SignInAsync(other, "user2");

        var page = await other.NewPageAsync();
        var answer = await page.GotoAsync($"http://{host}/");

        Assert.Equal(403, answer!.Status);
        var cookies = string.Join(
            "; ",
            (await other.CookiesAsync()).Where(c => c.Domain == "localhost").Select(c => $"{c.Name}={c.Value}")
        );
        Assert.Contains(await RawHttp.UpgradeAsync(berth.Origin, host, cookies), new[] { 401, 403 });
    }

    [SkippableFact]
    public async Task Dashboard_WhileWorkspaceStops_KubectlShowsThePhases()
    {
        Skip.If(Tools.Kubectl is null, "needs kubectl");
        await using var person = await berth.NewPersonAsync();
        var studio = await SignInAsync(person, "user2");
        await studio.ShowsAsync(ShownAs("user2"));
        var name = new Uri(studio.Page.Url).Host.Split('.')[0];
        using var kubectl = Process.Start(
            new ProcessStartInfo(
                Tools.Kubectl!,
                ["--kubeconfig", berth.Kubeconfig, "--cache-dir", Path.Combine(berth.Folder, "kubectl-cache"), "get", "uws", name, "-w"]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        try
        {
            Assert.Contains("Running", await LineWithAsync(kubectl, "Running"), StringComparison.Ordinal);

            var dashboard = await person.NewPageAsync();
            await dashboard.GotoAsync(berth.Origin + "/dashboard");
            await StopAsync(dashboard);

            Assert.Contains(name, await LineWithAsync(kubectl, "Stopped"), StringComparison.Ordinal);
        }
        finally
        {
            kubectl.Kill();
        }
    }

    [SkippableFact]
    public async Task SignOut_OpenWorkspace_AsksForSignInAgain()
    {
        await using var person = await berth.NewPersonAsync();
        var studio = await SignInAsync(person, "user1");
        await studio.ShowsAsync(ShownAs("user1"));
        var workspace = studio.Page.Url;

        var dashboard = await person.NewPageAsync();
        await dashboard.GotoAsync(berth.Origin + "/dashboard");
        await dashboard.GetByRole(AriaRole.Link, new() { NameRegex = SignOut() }).First.ClickAsync();
        await dashboard.GetByRole(AriaRole.Button, new() { NameRegex = SignOut() }).First.ClickAsync();
        await Assertions.Expect(dashboard.GetByRole(AriaRole.Button, new() { NameRegex = SignOut() })).ToHaveCountAsync(0);

        var cookies = await person.CookiesAsync([workspace]);
        Assert.Equal(
            401,
            await RawHttp.UpgradeAsync(
                berth.Origin,
                new Uri(workspace).Authority,
                string.Join("; ", cookies.Select(c => $"{c.Name}={c.Value}"))
            )
        );
    }

    internal async Task<StudioPage> SignInAsync(IBrowserContext person, string name) =>
        await SignInAsync(await person.NewPageAsync(), name);

    private async Task<StudioPage> SignInAsync(IPage page, string name)
    {
        await page.GotoAsync(berth.Origin + "/");
        await page.GetByRole(AriaRole.Link, new() { NameRegex = SignInWords() }).First.ClickAsync();
        await PassProviderAsync(page, name);
        await page.WaitForURLAsync(WorkspaceUrl(), new() { Timeout = 60_000 });
        return new StudioPage(page);
    }

    private static async Task StopAsync(IPage dashboard)
    {
        await dashboard.GetByRole(AriaRole.Button, new() { Name = "Stop", Exact = true }).First.ClickAsync();
        await Assertions.Expect(dashboard.GetByText("Stopped").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
    }

    private static async Task<string> LineWithAsync(Process process, string word)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.Contains(word, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"kubectl ended without showing {word}.");
    }

    [GeneratedRegex("sign in", RegexOptions.IgnoreCase)]
    private static partial Regex SignInWords();

    [GeneratedRegex("sign out", RegexOptions.IgnoreCase)]
    private static partial Regex SignOut();

    [GeneratedRegex(@"^http://ws-[a-z2-7]{16}\.localhost:\d+/")]
    private static partial Regex WorkspaceUrl();
}
