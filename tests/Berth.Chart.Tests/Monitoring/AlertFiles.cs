using YamlDotNet.Serialization;
using Testing;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>An alert of the chart.</summary>
public sealed record Alert(
    string File, string Name, string Expression, string? For, IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Annotations)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>The alerts in charts/berth/alerts.</summary>
public static class AlertFiles
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Alert> All { get; } = [.. Files.SelectMany(Read)];

    /// <summary>Their files.</summary>
    public static IReadOnlyList<string> Files =>
        [.. Directory.EnumerateFiles(Checkout.Path("charts", "berth", "alerts"), "*.yaml").Order(StringComparer.Ordinal)];

    private static IEnumerable<Alert> Read(string file)
    {
        var document = new DeserializerBuilder().Build().Deserialize<RuleFile>(File.ReadAllText(file));
        return document.groups.SelectMany(g => g.rules)
            .Select(r => new Alert(Path.GetFileName(file), r.alert, r.expr, r.@for, r.labels, r.annotations));
    }

#pragma warning disable IDE1006 // As Prometheus writes them.
    private sealed class RuleFile
    {
        public List<RuleGroup> groups { get; set; } = [];
    }

    private sealed class RuleGroup
    {
        public string name { get; set; } = "";

        public List<Rule> rules { get; set; } = [];
    }

    private sealed class Rule
    {
        public string alert { get; set; } = "";

        public string expr { get; set; } = "";

        public string? @for { get; set; }

        public Dictionary<string, string> labels { get; set; } = [];

        public Dictionary<string, string> annotations { get; set; } = [];
    }
#pragma warning restore IDE1006
}
