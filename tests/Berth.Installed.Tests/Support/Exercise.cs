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
        await BackUpAndRestoreAsync(person);
        await WaitForAVolumeThatNobodyMakesAsync();
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
        var own = $"/api/workspaces/{person.Workspace}";
        foreach (var path in (string[])["/api/workspaces", own, own + "/events", own + "/logs?tail=5", "/api/templates"])
        {
            using var answer = await person.EdgeAsync(path);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private Task PhaseAsync(Person person, string phase) => Wait.UntilAsync($"{person.Workspace} {phase}", TimeSpan.FromMinutes(3),
        async () => (string?)(await berth.WorkspaceAsync(person))?["status"]?["phase"] == phase);

    private Task<string> PatchAsync(Person person, string spec) => Shell.KubectlAsync(
        "-n", berth.Workspaces, "patch", "uws", person.Workspace, "--type=merge", "-p", "{\"spec\":" + spec + "}");

    private async Task BackUpAndRestoreAsync(Person person)
    {
        await ApplyAsync("""
            { "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "berth-backups", "namespace": "NS" },
              "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } }
            """);
        await PatchAsync(person, "{\"storage\":{\"backup\":{\"requestedAt\":\"" + Now() + "\"}}}");
        JsonNode? backup = null;
        await Wait.UntilAsync("a backup", TimeSpan.FromMinutes(3), async () =>
        {
            backup = (await berth.WorkspaceAsync(person))?["status"]?["storage"]?["backups"]?[0];
            return (string?)backup?["state"] == "Succeeded";
        });
        var wish = new JsonObject { ["backup"] = (string)backup!["name"]!, ["requestedAt"] = Now() };
        await PatchAsync(person, "{\"storage\":{\"restore\":" + wish.ToJsonString() + "}}");
        await Wait.UntilAsync("a restore", TimeSpan.FromMinutes(3),
            async () => (await berth.WorkspaceAsync(person))?["status"]?["storage"]?["restored"] is not null);
        await PhaseAsync(person, "Running");
    }

    private async Task WaitForAVolumeThatNobodyMakesAsync()
    {
        var template = (await Installation.JsonAsync("-n", berth.Workspaces, "get", "wst", "studio"))!;
        template["metadata"] = new JsonObject { ["name"] = "no-volume", ["namespace"] = berth.Workspaces };
        template["spec"]!["storage"]!["storageClassName"] = "nobodys";
        await ApplyAsync(template.ToJsonString());
        await ApplyAsync("""
            { "apiVersion": "berth.dev/v1alpha1", "kind": "UserWorkspace", "metadata": { "name": "no-volume", "namespace": "NS" },
              "spec": { "owner": { "issuer": "http://idp.localhost:4500", "subject": "nobody" }, "template": { "name": "no-volume" },
                        "desiredState": "Running" } }
            """);
        await Wait.UntilAsync("the reason", TimeSpan.FromMinutes(2), async () =>
            (await Shell.KubectlAsync("-n", berth.Workspaces, "get", "uws", "no-volume", "-o", "jsonpath={.status.conditions}"))
                .Contains("nobodys", StringComparison.Ordinal));
        await Shell.KubectlAsync("-n", berth.Workspaces, "delete", "uws,wst,pvc", "no-volume", "--ignore-not-found");
    }

    private async Task ApplyAsync(string json) => (await Shell.TryKubectlAsync(
        json.Replace("\"NS\"", $"\"{berth.Workspaces}\"", StringComparison.Ordinal),
        "apply", "--server-side", "--validate=false", "-f", "-")).Good("kubectl apply");

    private async Task LeaderEndsAsync()
    {
        var leader = await berth.LeaderAsync();
        await Shell.KubectlAsync("-n", berth.Namespace, "delete", "pod", leader);
        await Wait.UntilAsync("another leader", TimeSpan.FromMinutes(2), async () => await berth.LeaderAsync() != leader);
    }

    private async Task DeleteAsync(Person person, string policy)
    {
        await PatchAsync(person, "{\"storage\":{\"deletionPolicy\":\"" + policy + "\"}}");

        // It is the operator's finalizer by which a volume goes: a deletion that comes before it keeps the volume.
        await Wait.UntilAsync("the finalizer", TimeSpan.FromMinutes(1), async () => policy == "Retain"
            || (await berth.WorkspaceAsync(person))?["metadata"]?["finalizers"] is not null);
        await person.DeleteAsync();
        await Wait.UntilAsync($"the end of {person.Workspace}", TimeSpan.FromMinutes(3),
            async () => await berth.WorkspaceAsync(person) is null);
        await Wait.UntilAsync($"the volume of {person.Workspace}", TimeSpan.FromMinutes(2), async () =>
            (await berth.ClaimsAsync(person)).Count == (policy == "Retain" ? 1 : 0));
    }
}
