using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace Berth.Installed.Tests;

/// <summary>The API's own validation of everything that the chart renders; nothing is stored.</summary>
[Collection(nameof(Installation))]
public class DryRunTests(ITestOutputHelper output)
{
    public static TheoryData<string> Sets() => [.. Matrix.Sets.Keys];

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public async Task Objects_AreTakenByTheApi(string set)
    {
        Given.Installation();
        var rendering = Matrix.Of(set) with { KubeVersion = await Installation.VersionAsync() };
        var manifests = await rendering.ManifestsAsync();
        Assert.NotEmpty(manifests);

        // Kinds of other people's definitions, which not every cluster has.
        var (served, missing) = await ServedAsync(manifests);
        foreach (var kind in missing.Select(m => $"{m.ApiVersion} {m.Kind}").Distinct())
        {
            output.WriteLine($"{set}: {kind} is not served here and was not looked at");
        }

        Assert.All(missing, m => Assert.Contains(m.ApiVersion.Split('/')[0], (string[])["cert-manager.io", "monitoring.coreos.com"]));
        await InNamespacesAsync($"dry-{set}", served, async list => (await Shell.TryKubectlAsync(
            list, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=false", "-f", "-")).Good(set));
    }

    // The same as people apply it who have no server-side apply; kubectl compares with the API's schema before it sends anything.
    [SkippableTheory]
    [InlineData("values-dev")]
    [InlineData("values-prod")]
    public async Task Objects_OfTheValuesFiles_AreTakenWithKubectlsValidation(string set)
    {
        Given.Installation();
        var rendering = Matrix.Of(set) with { KubeVersion = await Installation.VersionAsync() };
        var (served, _) = await ServedAsync(await rendering.ManifestsAsync());
        await InNamespacesAsync($"dry-checked-{set}", served, async list => (await Shell.TryKubectlAsync(
            list, "apply", "--dry-run=server", "--validate=true", "-f", "-")).Good(set));
    }

    private static async Task<(List<Manifest> Served, List<Manifest> Missing)> ServedAsync(IReadOnlyList<Manifest> manifests)
    {
        var served = new Dictionary<string, HashSet<string>>();
        foreach (var version in manifests.Select(m => m.ApiVersion).Distinct())
        {
            var found = await Shell.TryKubectlAsync(null, "get", "--raw", version == "v1" ? "/api/v1" : "/apis/" + version);
            served[version] = found.Code == 0
                ? [.. JsonNode.Parse(found.Output)!["resources"]!.AsArray().Select(r => (string)r!["kind"]!)] : [];
        }

        return ([.. manifests.Where(m => served[m.ApiVersion].Contains(m.Kind))],
            [.. manifests.Where(m => !served[m.ApiVersion].Contains(m.Kind))]);
    }

    // A dry run stores nothing, so what it names has to be there: namespaces are made for it, under names of their own.
    private static async Task InNamespacesAsync(string prefix, List<Manifest> manifests, Func<string, Task> what)
    {
        var names = manifests.Select(m => m.Namespace).Append(manifests.FirstOrDefault(m => m.Kind == "Namespace")?.Name)
            .OfType<string>().Distinct().ToDictionary(n => n, n => $"{prefix}-{n}");
        foreach (var name in names.Values)
        {
            await Shell.TryKubectlAsync(null, "create", "namespace", name);
        }

        try
        {
            var items = manifests.Select(m => Moved(m, names)).ToArray();
            await what(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray(items) }.ToJsonString());
        }
        finally
        {
            foreach (var name in names.Values)
            {
                await Shell.TryKubectlAsync(null, "delete", "namespace", name, "--wait=false");
            }
        }
    }

    private static JsonNode Moved(Manifest manifest, Dictionary<string, string> names)
    {
        var copy = manifest.Json.DeepClone();
        if (manifest.Namespace is { } ns)
        {
            copy["metadata"]!["namespace"] = names[ns];
        }

        // A node's port is taken by the installation itself.
        foreach (var port in manifest.Kind == "Service" ? copy["spec"]!["ports"]!.AsArray() : [])
        {
            port!.AsObject().Remove("nodePort");
        }

        return copy;
    }
}
