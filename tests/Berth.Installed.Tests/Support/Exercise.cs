using System.Globalization;
using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>Once through everything that operator and edge do with the API.</summary>
internal sealed class Exercise(Installation berth)
{
    public async Task RunAsync()
    {
        var person = await berth.NewPersonAsync("exercise");
        await person.EnterAsync();
        await LookAsync(person);
        foreach (var (command, phase) in (IEnumerable<(string, string)>)[("stop", "Stopped"), ("start", "Running"), ("restart", "Running")])
        {
            await person.CommandAsync(command);
            await PhaseAsync(person, phase);
        }

        await PatchAsync(person, """{"resources":{"storage":"2Gi"}}""");
        await PatchAsync(person, "{\"storage\":{\"backup\":{\"requestedAt\":\"" + Now() + "\"}}}");
        await berth.ScaleEdgeAsync(2);
        await berth.ScaleEdgeAsync(1);
        await LeaderEndsAsync();
        await DeleteAsync(person, "Delete");

        var second = await berth.NewPersonAsync("exercise-again");
        await second.EnterAsync();
        await DeleteAsync(second, "Retain");
    }

    private static string Now() => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // What the dashboard shows.
    private static async Task LookAsync(Person person)
    {
        foreach (var path in (string[])["/api/workspaces", $"/api/workspaces/{person.Workspace}", $"/api/workspaces/{person.Workspace}/events",
            $"/api/workspaces/{person.Workspace}/logs?tail=5", "/api/templates"])
        {
            using var answer = await person.EdgeAsync(path);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private Task PhaseAsync(Person person, string phase) => Wait.UntilAsync($"{person.Workspace} {phase}", TimeSpan.FromMinutes(3),
        async () => (string?)(await berth.WorkspaceAsync(person))?["status"]?["phase"] == phase);

    private Task<string> PatchAsync(Person person, string spec) => Shell.KubectlAsync(
        "-n", berth.Workspaces, "patch", "uws", person.Workspace, "--type=merge", "-p", "{\"spec\":" + spec + "}");

    private async Task LeaderEndsAsync()
    {
        var leader = await berth.LeaderAsync();
        await Shell.KubectlAsync("-n", berth.Namespace, "delete", "pod", leader);
        await Wait.UntilAsync("another leader", TimeSpan.FromMinutes(2), async () => await berth.LeaderAsync() != leader);
    }

    private async Task DeleteAsync(Person person, string policy)
    {
        await PatchAsync(person, "{\"storage\":{\"deletionPolicy\":\"" + policy + "\"}}");
        await person.DeleteAsync();
        await Wait.UntilAsync($"the end of {person.Workspace}", TimeSpan.FromMinutes(3), async () => await berth.WorkspaceAsync(person) is null);
        var claims = (await Installation.JsonAsync("-n", berth.Workspaces, "get", "pvc", "-l", "berth.dev/workspace=" + person.Workspace))!["items"];
        Assert.Equal(policy == "Retain" ? 1 : 0, claims!.AsArray().Count);
    }
}
