using System.Diagnostics;
using System.Text.Json.Nodes;
using Testing;

namespace Berth.Chart.Tests;

/// <summary>The chart, and the program that renders it: BERTH_TEST_HELM_RENDER, or helm on the PATH.</summary>
internal static class Chart
{
    public const string Release = "berth";
    public const string Namespace = "berth";
    public const string Workspaces = "berth-workspaces";

    public static string Folder => Checkout.Path("charts", "berth");

    public static bool UpdatesGolden => Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1";

    /// <summary>What every installation has to say; tests add to it.</summary>
    public const string Required = """
        publicOrigin: https://berth.example.com
        workspaceDomain: workspaces.example.dev
        trustedProxies: [10.42.0.0/16]
        issuers: [{issuer: "https://idp.example.com/", clientId: berth, clientSecretRef: {name: oidc, key: secret}}]
        database: {external: {host: db.example.internal, passwordSecret: {name: db, key: password}}}
        """;

    public static string ReadFile(params string[] path) => File.ReadAllText(Path.Combine([Folder, .. path]));

    /// <summary>Renders the chart with <see cref="Required"/> and more values, each a YAML text; later ones win.</summary>
    public static Manifests Render(params string[] values) => Render(new RenderOptions(), [Required, .. values]);

    /// <summary>Renders the chart with exactly these values.</summary>
    public static Manifests Render(RenderOptions options, params string[] values)
    {
        var (code, output, errors) = Run(options, values);
        Assert.True(code == 0, errors);
        return new Manifests(YamlJson.ReadAll(output), errors);
    }

    /// <summary>What the chart says of values that cannot work, added to <see cref="Required"/>.</summary>
    public static string Refusal(params string[] values) => Refusal(new RenderOptions(), [Required, .. values]);

    /// <summary>What the chart says of exactly these values.</summary>
    public static string Refusal(RenderOptions options, params string[] values)
    {
        var (code, output, errors) = Run(options, values);
        Assert.True(code != 0, $"These values were taken:\n{string.Join('\n', values)}\n{output[..Math.Min(500, output.Length)]}");
        return errors;
    }

    /// <summary>True where helm itself renders; it prints no notes then.</summary>
    public static bool IsHelm => Path.GetFileName(Renderer() ?? "") == "helm";

    private static string? Renderer() =>
        Environment.GetEnvironmentVariable("BERTH_TEST_HELM_RENDER") is { Length: > 0 } named ? named : Tools.Find("helm");

    private static (int Code, string Output, string Errors) Run(RenderOptions options, string[] values)
    {
        var program = Renderer();
        Skip.If(program is null, "Neither BERTH_TEST_HELM_RENDER nor helm on the PATH: the chart cannot be rendered.");
        var folder = Directory.CreateTempSubdirectory("berth-chart-tests-");
        try
        {
            var files = values.Select((text, i) =>
            {
                var file = Path.Combine(folder.FullName, $"{i}.yaml");
                File.WriteAllText(file, text);
                return file;
            });
            string[] named = IsHelm ? ["template", Release, Folder] : ["-name", Release];
            List<string> arguments = [.. named, Dash("namespace"), options.Namespace, Dash("kube-version"), options.KubeVersion];
            arguments.AddRange(files.SelectMany(f => (string[])["-f", f]));
            arguments.AddRange(options.IsUpgrade ? [Dash("is-upgrade")] : []);
            arguments.AddRange(IsHelm ? [] : ["-notes", Folder]);
            using var process = Process.Start(new ProcessStartInfo(program!, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, errors.GetAwaiter().GetResult());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Dash(string name) => (IsHelm ? "--" : "-") + name;
}

/// <summary>How the chart is rendered.</summary>
internal sealed record RenderOptions
{
    public string Namespace { get; init; } = Chart.Namespace;

    public string KubeVersion { get; init; } = "1.31.0";

    public bool IsUpgrade { get; init; }
}

/// <summary>What was rendered.</summary>
internal sealed class Manifests(IReadOnlyList<JsonNode> all, string notes)
{
    public IReadOnlyList<JsonNode> All => all;

    public string Notes => notes;

    public IEnumerable<JsonNode> Of(string kind) => all.Where(m => m.Kind() == kind);

    public JsonNode One(string kind, string name) =>
        Of(kind).SingleOrDefault(m => m.Name() == name)
            ?? throw new InvalidOperationException(
                $"There is no {kind} {name}; there are {string.Join(", ", Of(kind).Select(m => m.Name()))}.");

    /// <summary>Every template of a pod, with whose it is.</summary>
    public IEnumerable<(string Owner, JsonNode Template)> PodTemplates() =>
        from manifest in all
        let template = manifest.Kind() switch
        {
            "Pod" => manifest,
            "Deployment" or "StatefulSet" or "Job" => manifest["spec"]!["template"],
            "CronJob" => manifest["spec"]!["jobTemplate"]!["spec"]!["template"],
            _ => null,
        }
        where template is not null
        select ($"{manifest.Kind()} {manifest.Name()}", template);

    /// <summary>Every container, with whose it is.</summary>
    public IEnumerable<(string Owner, JsonNode Container)> Containers() =>
        from pod in PodTemplates()
        from container in Items(pod.Template, "initContainers").Concat(Items(pod.Template, "containers"))
        select ($"{pod.Owner}, container {container["name"]}", container);

    /// <summary>Environment of a container by name; what comes from a Secret is left out.</summary>
    public Dictionary<string, string> Environment(string kind, string name)
    {
        var container = One(kind, name)["spec"]!["template"]!["spec"]!["containers"]![0]!;
        return container["env"]!.AsArray().Where(e => e!["value"] is not null)
            .ToDictionary(e => (string)e!["name"]!, e => Expand((string)e!["value"]!), StringComparer.OrdinalIgnoreCase);
    }

    // As the kubelet reads a value: two dollars are one.
    private static string Expand(string value) => value.Replace("$$", "$", StringComparison.Ordinal);

    private static IEnumerable<JsonNode> Items(JsonNode template, string list) =>
        (template["spec"]![list]?.AsArray() ?? []).OfType<JsonNode>();
}

/// <summary>Short ways to what every object has.</summary>
internal static class ManifestExtensions
{
    public static string Kind(this JsonNode manifest) => (string)manifest["kind"]!;

    public static string Name(this JsonNode manifest) => (string)manifest["metadata"]!["name"]!;

    public static string? NamespaceOf(this JsonNode manifest) => (string?)manifest["metadata"]!["namespace"];

    public static Dictionary<string, string> Labels(this JsonNode manifest) =>
        (manifest["metadata"]!["labels"]?.AsObject() ?? []).ToDictionary(l => l.Key, l => (string)l.Value!);

    public static string[] Strings(this JsonNode? list) => [.. (list?.AsArray() ?? []).Select(i => (string)i!)];

    /// <summary>Kind, namespace and name, for messages.</summary>
    public static string Id(this JsonNode manifest) => $"{manifest.Kind()} {manifest.NamespaceOf()}/{manifest.Name()}";
}
