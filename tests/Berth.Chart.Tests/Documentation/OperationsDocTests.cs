using System.Text.RegularExpressions;
using Berth.Chart.Tests.Monitoring;
using YamlDotNet.Serialization;
using Testing;

namespace Berth.Chart.Tests.Documentation;

/// <summary>What the pages for operators name is there: headings, options of the programs, values of the chart, test classes.</summary>
public sealed partial class OperationsDocTests
{
    private static readonly string[] Operations =
    [
        "clouds.md", "costs.md", "dns-and-tls.md", "identity-providers.md", "monitoring.md", "scaling.md", "security.md",
        "troubleshooting.md", "upgrades.md",
    ];

    public static TheoryData<string> Pages =>
    [
        .. Operations,
        .. Directory.EnumerateFiles(Checkout.Path("docs", "runbooks"), "*.md").Select(f => $"runbooks/{Path.GetFileName(f)}"),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_LeadToPagesAndHeadingsThatAreThere(string page)
    {
        var folder = Path.GetDirectoryName(Checkout.Path("docs", page))!;

        None(Link().Matches(Text(page)).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal))
            .Where(link =>
            {
                var parts = link.Split('#');
                var file = parts[0].Length == 0 ? Checkout.Path("docs", page) : Path.GetFullPath(Path.Combine(folder, parts[0]));
                return !File.Exists(file) || (parts.Length > 1 && !Headings(file).Contains(parts[1]));
            }));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Options_AreThoseOfTheCode(string page) => None(Option().Matches(Text(page)).Select(m => m.Groups[1].Value)
        .Where(o => o.Split(':')[0] is not ("Berth" or "CVE")).Distinct().Where(o => !OptionNames.Exists(o.Split(':'))));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Values_AreThoseOfTheChart(string page)
    {
        var values = Parse(Checkout.Read("charts", "berth", "values.yaml"));
        var inText = Value().Matches(Text(page)).Select(m => m.Groups[1].Value)
            .Where(v => !v.Contains(".example.", StringComparison.Ordinal));
        var inYaml = YamlBlock().Matches(Text(page)).Select(m => Parse(m.Groups[1].Value))
            .Where(y => y.Keys.All(k => values.ContainsKey(k)) && y.Count > 0)
            .SelectMany(y => Paths(y, ""));

        None(inText.Concat(inYaml).Distinct().Where(path => !Exists(values, path.Split('.'))));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Issuers_HaveOptionsOfTheCode(string page) => None(YamlBlock().Matches(Text(page)).Select(m => Parse(m.Groups[1].Value))
        .Where(y => y.GetValueOrDefault("issuers") is List<object?>)
        .SelectMany(y => ((List<object?>)y["issuers"]!).SelectMany(i => Paths(Named(i), "")))
        .Where(o => !o.StartsWith("clientSecretRef", StringComparison.Ordinal) && !OptionNames.Exists(["Issuers", "N", .. o.Split('.')])));

    [Fact]
    public void Security_NamesTestClassesThatExist()
    {
        var classes = Directory.EnumerateFiles(Checkout.Path("tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(f => TestClass().Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value).ToHashSet();
        var named = NamedTest().Matches(Text("security.md")).Select(m => m.Groups[1].Value).Distinct().ToList();

        Assert.True(named.Count > 60);
        Assert.DoesNotContain(named, n => !classes.Contains(n));
    }

    [Fact]
    public void Troubleshooting_HasRowsInOrder()
    {
        var numbers = Row().Matches(Text("troubleshooting.md")).Select(m => int.Parse(m.Groups[1].Value)).ToList();

        Assert.True(numbers.Count >= 30);
        Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void FieldsOfWorkspaces_InCommands_AreThoseOfTheResource(string page) => None(Text(page).Split('\n')
        .Where(l => l.Contains(" uws", StringComparison.Ordinal))
        .SelectMany(l => Field().Matches(l)).Select(m => m.Groups[1].Value).Distinct()
        .Where(f => !FieldNames.Exists(typeof(Berth.Resources.UserWorkspace), f.Split('.'))));

    // A code that no program answers with, or a line that no log has, would be looked for in vain.
    [Fact]
    public void Troubleshooting_CodesAndLogLines_AreInTheSources()
    {
        var sources = string.Join('\n', Directory.EnumerateFiles(Checkout.Path("src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Split(Path.DirectorySeparatorChar).Contains("obj")).Select(File.ReadAllText));

        // A text of the sources may go over several lines.
        var joined = Continued().Replace(sources, "");
        var rows = Text("troubleshooting.md").Split('\n').Where(l => Row().IsMatch(l)).ToList();
        var codes = rows.SelectMany(r => Code().Matches(r.Split('|')[2])).Select(m => m.Groups[1].Value);
        var lines = rows.SelectMany(r => LogLine().Matches(r)).Select(m => m.Groups[1].Value)
            .Where(t => !t.Contains("x-kubernetes", StringComparison.Ordinal) && !t.StartsWith("no matches", StringComparison.Ordinal)
                && !t.StartsWith("address already", StringComparison.Ordinal));

        None(codes.Distinct().Where(c => !sources.Contains($"\"{c}\"", StringComparison.Ordinal)));
        None(lines.SelectMany(l => l.Split('…')).Select(p => p.Trim(' ', '\'', ',', ';')).Where(p => p.Length > 8)
            .Where(p => !joined.Contains(p, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Limits:Address:Requests", true)]
    [InlineData("Issuers:N:Allow:GroupClaim", true)]
    [InlineData("LeaderElection:Lease", true)]
    [InlineData("Backup:S3:Endpoint", true)]
    [InlineData("Limits:Adress:Requests", false)]
    [InlineData("Issuers:N:Secret", false)]
    public void OptionNames_KnowWhatIsThere(string option, bool exists) => Assert.Equal(exists, OptionNames.Exists(option.Split(':')));

    private static void None(IEnumerable<string> problems)
    {
        var all = string.Join('\n', problems);
        Assert.True(all.Length == 0, all);
    }

    private static string Text(string page) => Checkout.Read("docs", page);

    private static Dictionary<string, object?> Parse(string yaml)
    {
        try
        {
            return Named(new DeserializerBuilder().Build().Deserialize<object?>(yaml));
        }
        catch (YamlDotNet.Core.YamlException)
        {
            // Several documents, or a piece of something: no values of the chart.
            return [];
        }
    }

    private static Dictionary<string, object?> Named(object? node) => node is IDictionary<object, object?> map
        ? map.ToDictionary(p => p.Key.ToString()!, p => p.Value is IDictionary<object, object?> ? Named(p.Value) : p.Value) : [];

    private static IEnumerable<string> Paths(Dictionary<string, object?> node, string prefix) => node.SelectMany(p =>
        p.Value is Dictionary<string, object?> { Count: > 0 } inner ? Paths(inner, $"{prefix}{p.Key}.") : [prefix + p.Key]);

    // What is empty in values.yaml is free: options, labels, specs of Kubernetes.
    private static bool Exists(Dictionary<string, object?> values, string[] path)
    {
        object? node = values;
        foreach (var (part, index) in path.Select((p, i) => (p, i)))
        {
            if (node is not Dictionary<string, object?> map || map.Count == 0)
            {
                return node is Dictionary<string, object?> or null or "" || index == path.Length;
            }

            if (!map.TryGetValue(part, out node))
            {
                return path[0] is "policy" or "templates" && index > 1;
            }
        }

        return true;
    }

    private static HashSet<string> Headings(string file) =>
        [.. Heading().Matches(File.ReadAllText(file)).Select(m => Slug(m.Groups[1].Value))];

    // As GitHub makes them.
    private static string Slug(string heading) =>
        NoSlug().Replace(Link().Replace(heading, "").Replace("[", "").Replace("]", "").ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+?)\s*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoSlug();

    [GeneratedRegex(@"`([A-Z][A-Za-z0-9]+(?::[A-Z][A-Za-z0-9]+)+)[`=]")]
    private static partial Regex Option();

    [GeneratedRegex("""
        `((?:operator|edge|workspaces|traefik|tls|cloudflare|database|secrets|networkPolicy|monitoring|crds|jobs|admission)
        (?:\.[a-z][A-Za-z]+)+)[`:]
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Value();

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();

    [GeneratedRegex(@"class (\w+Tests)\b")]
    private static partial Regex TestClass();

    [GeneratedRegex(@"`(\w+Tests)`")]
    private static partial Regex NamedTest();

    [GeneratedRegex(@"\.((?:status|spec)\.[a-zA-Z][a-zA-Z.]*[a-zA-Z])")]
    private static partial Regex Field();

    [GeneratedRegex("""[`"]([a-z]+(?:-[a-z]+)+)[`"]""")]
    private static partial Regex Code();

    // Words of a log: they begin with a capital or have a gap.
    [GeneratedRegex(@"`((?:[A-Z][a-z]+ [a-z]|The |This |Key )[^`]+)`")]
    private static partial Regex LogLine();

    [GeneratedRegex("""
        "\s*\+\s*\$?"
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Continued();

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
