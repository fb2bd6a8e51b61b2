using System.Diagnostics;
using System.Text.RegularExpressions;
using Testing;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>Each alert says what it means, where its runbook is, and is tested for firing and for keeping silent.</summary>
public sealed partial class AlertTests
{
    private static readonly string[] Sections = ["Meaning", "Impact", "Diagnosis", "Mitigation"];

    public static TheoryData<string> RuleFiles => [.. AlertFiles.Files.Select(f => Path.GetFileName(f)!)];

    [Fact]
    public void Alerts_HaveNamesOfTheirOwn_ASeverityAndWords()
    {
        var alerts = AlertFiles.All;

        Assert.True(alerts.Count > 40);
        Assert.Equal(alerts.Count, alerts.Select(a => a.Name).Distinct().Count());
        Assert.All(alerts, a =>
        {
            Assert.StartsWith("Berth", a.Name, StringComparison.Ordinal);
            Assert.Contains(a.Labels["severity"], (string[])["critical", "warning", "info"]);
            Assert.False(string.IsNullOrWhiteSpace(a.Annotations["summary"]), a.Name);
            Assert.False(string.IsNullOrWhiteSpace(a.Annotations["description"]), a.Name);
            Assert.Equal($"docs/runbooks/{a.Name}.md", a.Annotations["runbook_url"]);
        });
    }

    [Fact]
    public void Runbooks_OneForEachAlert_WithAllSections_AndNoOther()
    {
        var runbooks = Directory.EnumerateFiles(Checkout.Path("docs", "runbooks"), "Berth*.md")
            .Select(f => Path.GetFileNameWithoutExtension(f)!).Order();

        Assert.Equal(AlertFiles.All.Select(a => a.Name).Order(), runbooks);
        Assert.Empty(AlertFiles.All.SelectMany(a =>
        {
            var text = Checkout.Read("docs", "runbooks", a.Name + ".md");
            var parts = text.Split("\n## ");
            return parts[0].StartsWith($"# {a.Name}\n", StringComparison.Ordinal)
                && parts.Skip(1).Select(p => p.Split('\n')[0]).SequenceEqual(Sections)
                && parts.Skip(1).All(p => p.Length > p.Split('\n')[0].Length + 40) ? Array.Empty<string>() : [a.Name];
        }));
    }

    [Fact]
    public void Monitoring_ListsEveryAlert_WithItsRunbook()
    {
        var page = Checkout.Read("docs", "monitoring.md");

        Assert.DoesNotContain(AlertFiles.All,
            a => !page.Contains($"[{a.Name}](runbooks/{a.Name}.md) | {a.Labels["severity"]} |", StringComparison.Ordinal));
    }

    [Fact]
    public void Monitoring_NamesNoAlertThatIsNot()
    {
        var named = Named().Matches(Checkout.Read("docs", "monitoring.md")).Select(m => m.Value).Except(["BerthPolicy"]).ToHashSet();

        Assert.Subset(AlertFiles.All.Select(a => a.Name).ToHashSet(), named);
    }

    [Fact]
    public void PromtoolTests_EachAlert_FiresInOneAndIsSilentInAnother()
    {
        var names = Directory.EnumerateFiles(Checkout.Path("tests", "Berth.Chart.Tests", "Monitoring", "alerts"), "*.yaml")
            .SelectMany(f => TestName().Matches(File.ReadAllText(f))).Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}").ToHashSet();

        Assert.All(AlertFiles.All, a => Assert.Superset(new HashSet<string> { $"{a.Name} fires", $"{a.Name} is silent" }, names));
    }

    [SkippableTheory]
    [MemberData(nameof(RuleFiles))]
    public async Task Promtool_RulesAreSound_AndTheirTestsPass(string file)
    {
        var promtool = Tools.Find("promtool");
        Skip.If(promtool is null, "promtool is not installed (Debian: prometheus)");

        await RunAsync(promtool, "check", "rules", Checkout.Path("charts", "berth", "alerts", file));
        await RunAsync(promtool, "test", "rules", Checkout.Path("tests", "Berth.Chart.Tests", "Monitoring", "alerts", file));
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}\n{await output}{await error}");
    }

    [GeneratedRegex(@"\bBerth[A-Z][a-z]\w+")]
    private static partial Regex Named();

    [GeneratedRegex(@"^  - name: '(Berth\w+) (fires|is silent)", RegexOptions.Multiline)]
    private static partial Regex TestName();
}
