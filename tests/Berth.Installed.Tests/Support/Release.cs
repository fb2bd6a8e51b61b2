using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>
/// A rendered chart on the cluster, handled as Helm does: hooks by moment and weight, the rest by kind, what a newer version lacks removed,
/// and at the end all but what is to be kept.
/// </summary>
internal sealed class Release
{
    private IReadOnlyList<Manifest> _there = [];

    public Rendering Rendering { get; private set; } = new();

    /// <summary>What was applied last, hooks too.</summary>
    public IReadOnlyList<Manifest> Manifests => _there;

    public Task InstallAsync(Rendering rendering) => ApplyAsync(rendering, "pre-install", "post-install");

    public Task UpgradeAsync(Rendering rendering) => ApplyAsync(rendering with { IsUpgrade = true }, "pre-upgrade", "post-upgrade");

    public async Task UninstallAsync()
    {
        await RunHooksAsync(_there, "pre-delete");
        await DeleteAsync(_there.Where(m => m.Hooks.Count == 0 && !m.IsKept).OrderByDescending(m => m.Rank));
        await RunHooksAsync(_there, "post-delete");
    }

    /// <summary>What Helm leaves behind and an administrator removes by hand: kept objects, what hooks made, namespaces.</summary>
    public async Task WipeAsync(params string[] namespaces)
    {
        await DeleteAsync(_there.Where(m => m.Kind != "CustomResourceDefinition").OrderByDescending(m => m.Rank));
        foreach (var ns in namespaces.Append(Rendering.Namespace).Distinct())
        {
            await Shell.TryKubectlAsync(null, "delete", "namespace", ns, "--ignore-not-found", "--timeout=240s");
        }
    }

    private async Task ApplyAsync(Rendering rendering, string before, string after)
    {
        Rendering = rendering;
        var old = _there;
        await ApplyDefinitionsAsync(rendering);
        _there = await rendering.ManifestsAsync();
        await Shell.TryKubectlAsync(null, "create", "namespace", rendering.Namespace);
        await RunHooksAsync(_there, before);
        var own = _there.Where(m => m.Hooks.Count == 0).OrderBy(m => m.Rank).ToList();
        await ApplyAsync(own);
        await DeleteAsync(old.Where(o => o.Hooks.Count == 0 && !o.IsKept && own.TrueForAll(m => m.Title != o.Title)));
        await RunHooksAsync(_there, after);
        await RolledOutAsync();
    }

    /// <summary>Waits until every workload runs as it should.</summary>
    public async Task RolledOutAsync()
    {
        foreach (var workload in _there.Where(m => m.Kind is "Deployment" or "StatefulSet" && m.Hooks.Count == 0))
        {
            // What went wrong before is still said for a while: another look, then.
            await Wait.UntilAsync($"the roll-out of {workload.Title}", TimeSpan.FromMinutes(5), async () =>
            {
                var status = await Shell.TryKubectlAsync(null, "-n", workload.Namespace ?? Rendering.Namespace, "rollout", "status",
                    $"{workload.Kind}/{workload.Name}", "--timeout=120s");
                return status.Code == 0 ? true : throw new InvalidOperationException(status.Error);
            });
        }
    }

    private static async Task ApplyAsync(List<Manifest> manifests)
    {
        if (manifests.Count > 0)
        {
            (await Shell.TryKubectlAsync(List(manifests), "apply", "--server-side", "--force-conflicts", "--validate=false",
                "-f", "-")).Good("kubectl apply");
        }
    }

    // Helm installs a chart's crds/ first and never touches them again; docs/upgrades.md has people apply them, as here.
    private static async Task ApplyDefinitionsAsync(Rendering rendering)
    {
        var folder = Path.Combine(rendering.Chart, "crds");
        if (Directory.Exists(folder))
        {
            // Before 1.25 the API knows no CEL rules, and server-side apply no way to let them pass.
            string[] how = rendering.HasCel ? ["--server-side", "--force-conflicts"] : ["--validate=false"];
            (await Shell.TryKubectlAsync(null, ["apply", .. how, "-f", folder])).Good("crds");
            await Shell.KubectlAsync("wait", "--for=condition=Established", "--timeout=60s", "-f", folder);
        }
    }

    private async Task RunHooksAsync(IReadOnlyList<Manifest> manifests, string moment)
    {
        var hooks = manifests.Where(m => m.Hooks.Contains(moment)).OrderBy(m => m.Weight).ThenBy(m => m.Rank).ToList();
        foreach (var hook in hooks)
        {
            var ns = hook.Namespace ?? Rendering.Namespace;
            if (IsDeleted(hook, "before-hook-creation"))
            {
                await DeleteAsync([hook]);
            }

            await ApplyAsync([hook]);
            if (hook.Kind == "Job")
            {
                await CompleteAsync(ns, hook.Name);
            }
        }

        // Not before all of the moment are done: a Job needs the account that is a hook as well.
        await DeleteAsync(hooks.Where(h => IsDeleted(h, "hook-succeeded")).Reverse());
    }

    private static bool IsDeleted(Manifest hook, string policy) =>
        (hook.Annotation("helm.sh/hook-delete-policy") ?? "before-hook-creation").Contains(policy, StringComparison.Ordinal);

    private static async Task CompleteAsync(string ns, string job)
    {
        try
        {
            await Wait.UntilAsync($"job {job}", TimeSpan.FromMinutes(4), async () =>
            {
                var status = JsonNode.Parse(await Shell.KubectlAsync("-n", ns, "get", "job", job, "-o", "json"))!["status"];
                var conditions = status?["conditions"]?.AsArray() ?? [];
                Assert.DoesNotContain(conditions, c => (string?)c!["type"] == "Failed" && (string?)c["status"] == "True");
                return conditions.Any(c => (string?)c!["type"] == "Complete" && (string?)c["status"] == "True");
            });
        }
        catch (Exception error) when (error is TimeoutException or Xunit.Sdk.XunitException)
        {
            var log = await Shell.TryKubectlAsync(null, "-n", ns, "logs", "--tail=40", "--all-containers", $"job/{job}");
            throw new InvalidOperationException($"{error.Message}\n{log.Output}{log.Error}", error);
        }
    }

    private static async Task DeleteAsync(IEnumerable<Manifest> manifests)
    {
        var all = manifests.ToList();
        if (all.Count > 0)
        {
            (await Shell.TryKubectlAsync(List(all), "delete", "--ignore-not-found", "--timeout=120s", "-f", "-")).Good("kubectl delete");
        }
    }

    private static string List(List<Manifest> manifests) => new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "List",
        ["items"] = new JsonArray([.. manifests.Select(m => m.Json.DeepClone())]),
    }.ToJsonString();
}
