using System.Text.Json.Nodes;
using Testing;

namespace Berth.Installed.Tests;

/// <summary>From one version of the chart to the next, and away: what people have stays.</summary>
[Collection(nameof(Installation))]
public class UpgradeTests(Installation berth)
{
    [SkippableFact]
    public async Task Upgrade_FromThePreviousChart_WorkspacesGoOnAndKeysAreTheSame()
    {
        Given.Installation();
        var previous = await PreviousChartAsync();
        try
        {
            await berth.RemoveAsync();
            await berth.StartAsync(previous.FullName);
            var person = await berth.NewPersonAsync("upgraded");
            await person.EnterAsync();
            var before = await PictureAsync(person);

            // A terminal is open meanwhile, and comes back where its edge was replaced.
            using var terminal = await person.OpenTerminalAsync();
            await terminal.AskAsync(1);
            await berth.UpgradeAsync();

            // A newer chart may make more keys; those that were there are the same.
            var after = await PictureAsync(person);
            Assert.Equal((before.Pod, before.Claim), (after.Pod, after.Claim));
            Assert.Empty(before.Keys.Except(after.Keys));
            Assert.Equal("upgraded", (string?)(await person.EnterAsync())["subject"]);
            using var again = terminal.Ended.IsCompleted ? await person.OpenTerminalAsync(terminal.Id) : null;
            await (again ?? terminal).AskAsync(2);
            await berth.DeleteWorkspaceAsync(person);
        }
        finally
        {
            previous.Delete(recursive: true);
        }
    }

    [SkippableFact]
    public async Task Uninstall_LeavesVolumesAndKeys_AndTheNextInstallationFindsThem()
    {
        await berth.StartAsync();
        var person = await berth.NewPersonAsync("patient");
        await person.EnterAsync();
        using (var terminal = await person.OpenTerminalAsync())
        {
            await terminal.TypeAsync("echo kept > /workspace/note && sync");
            await terminal.AskAsync(1);
        }

        var before = await PictureAsync(person);
        await berth.UninstallAsync();

        // Programs and rights are gone, what people have is there.
        Assert.Equal("", (await Shell.KubectlAsync("-n", berth.Namespace, "get", "deployments,statefulsets,roles", "-o", "name")).Trim());
        Assert.Equal("", (await Shell.KubectlAsync(
            "get", "clusterroles,clusterrolebindings", "-o", "name", "-l", "app.kubernetes.io/part-of=berth")).Trim());
        Assert.Equal(before.Claim, Assert.Single(await berth.ClaimsAsync(person)));
        Assert.Equal(before.Keys, await KeysAsync());
        var claims = await Shell.KubectlAsync("-n", berth.Namespace, "get", "pvc", "-o", "name");
        Assert.Contains(berth.LastDatabase, claims, StringComparison.Ordinal);

        // Whoever was signed in still is: the keys and the database are the same.
        await berth.StartAsync();
        Assert.Equal("patient", (string?)(await person.EnterAsync())["subject"]);
        using var note = await person.GetAsync("/api/files/content?path=note");
        Assert.Equal("kept\n", await note.Content.ReadAsStringAsync());
        await berth.DeleteWorkspaceAsync(person);
    }

    private async Task<Picture> PictureAsync(Person person) => new(
        Assert.Single(await berth.WorkspacePodsAsync(person)), Assert.Single(await berth.ClaimsAsync(person)), await KeysAsync());

    // Contents, not versions.
    private async Task<IReadOnlyList<string>> KeysAsync()
    {
        var secrets = (await Installation.JsonAsync("-n", berth.Namespace, "get", "secrets"))!["items"]!.AsArray();
        return [.. secrets.Select(s => (Type: (string?)s!["type"], Name: (string)s["metadata"]!["name"]!, Data: s["data"]))
            .Where(s => s.Type == "Opaque" && !s.Name.EndsWith("-clients", StringComparison.Ordinal))
            .Select(s => $"{s.Name}: {s.Data!.ToJsonString()}")];
    }

    // What was committed before the last change of the chart.
    private static async Task<DirectoryInfo> PreviousChartAsync()
    {
        Skip.If(Tools.Find("git") is null || Tools.Find("tar") is null, "needs git and tar for the chart before this one");
        var log = await Shell.RunAsync("git", ["log", "-2", "--format=%H", "--", "charts/berth"]);
        var commits = log.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Skip.If(log.Code != 0 || commits.Length < 2, "the repository has no history of the chart here");
        var folder = Directory.CreateTempSubdirectory("berth-chart-");
        var archive = Path.Combine(folder.FullName, "chart.tar");
        (await Shell.RunAsync("git", ["archive", "-o", archive, commits[1] + ":charts/berth"])).Good("git archive");
        (await Shell.RunAsync("tar", ["xf", archive, "-C", folder.FullName])).Good("tar");
        File.Delete(archive);
        return folder;
    }

    private sealed record Picture(string Pod, string Claim, IReadOnlyList<string> Keys);
}
