using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>A chart with its values.</summary>
internal sealed record Rendering
{
    /// <summary>The chart's folder.</summary>
    public string Chart { get; init; } = Given.Chart;

    public string Release { get; init; } = "berth";

    public string Namespace { get; init; } = "berth";

    /// <summary>Values files, relative to the chart's folder.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    public IReadOnlyList<string> Sets { get; init; } = [];

    /// <summary>Values as a document of their own, for what has lists.</summary>
    public JsonObject? Values { get; init; }

    public string KubeVersion { get; init; } = "1.31.0";

    /// <summary>What the cluster serves beside Kubernetes' own, and renderers are told.</summary>
    public IReadOnlyList<string> Apis { get; init; } = [];

    /// <summary>Whether the API knows CEL rules.</summary>
    public bool HasCel => Version.Parse(KubeVersion) >= new Version(1, 25);

    public bool IsUpgrade { get; init; }

    /// <summary>Everything the chart makes, hooks too; its definitions only where they are asked for.</summary>
    public async Task<IReadOnlyList<Manifest>> ManifestsAsync(bool definitions = false) =>
        [.. Yaml.Documents(await TextAsync(definitions)).Select(d => new Manifest(d))];

    /// <summary>The same as text.</summary>
    public async Task<string> TextAsync(bool definitions = false)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, Values?.ToJsonString() ?? "{}");
            List<string> arguments = ["-name", Release, "-namespace", Namespace, "-kube-version", KubeVersion];
            arguments.AddRange(Files.SelectMany(f => (string[])["-f", Path.Combine(Chart, f)]));
            arguments.AddRange(["-f", file]);
            arguments.AddRange(Sets.SelectMany(s => (string[])["-set", s]));
            arguments.AddRange(Apis.SelectMany(a => (string[])["-api-versions", a]));
            arguments.AddRange(definitions ? ["-include-crds"] : []);
            arguments.AddRange(IsUpgrade ? ["-is-upgrade"] : []);
            return (await Shell.RunAsync(Given.Renderer!, [.. arguments, Chart])).Good("rendering the chart");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
