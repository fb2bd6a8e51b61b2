using System.Text.RegularExpressions;
using Testing;
using YamlDotNet.RepresentationModel;

namespace Delivery.Tests;

/// <summary>What a workflow must keep to, whoever writes it.</summary>
public sealed partial class WorkflowTests
{
    private static readonly string Folder = Checkout.Path(".github", "workflows");

    public static TheoryData<string> Files() => [.. Directory.EnumerateFiles(Folder, "*.yml").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_Rights_AreNoneAtTheTopAndNamedByEachJob(string file)
    {
        var workflow = Read(file);

        Assert.Empty(Assert.IsType<YamlMappingNode>(workflow.Get("permissions")).Children);
        Assert.All(Jobs(workflow), j =>
        {
            var rights = Assert.IsType<YamlMappingNode>(j.Job.Get("permissions"));
            Assert.NotEmpty(rights.Children);
            Assert.DoesNotContain(rights.Children.Values, v => ((YamlScalarNode)v).Value == "write-all");
        });
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_Jobs_HaveATimeout(string file) => Assert.All(
        Jobs(Read(file)).Where(j => j.Job.Get("uses") is null),
        j => Assert.InRange(int.Parse(j.Job.Text("timeout-minutes") ?? "0", System.Globalization.CultureInfo.InvariantCulture), 1, 120));

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_ThatStartsByItself_NeverRunsTwiceAtATime(string file)
    {
        var workflow = Read(file);
        var called = workflow.Get("on") is YamlMappingNode { Children.Count: 1 } on && on.Get("workflow_call") is not null;

        Assert.True(called || workflow.Get("concurrency").Text("group") is not null);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_Actions_ArePinnedByCommitWithTheirVersionBeside(string file)
    {
        var uses = File.ReadLines(Path.Combine(Folder, file)).Where(l => UsesLine().IsMatch(l)).Select(l => UsesLine().Match(l).Groups["what"].Value.Trim());

        Assert.All(uses, u => Assert.Matches(@"^(\./\.github/workflows/[a-z-]+\.yml|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$", u));
    }

    [Fact]
    public void Workflows_OneAction_HasOneVersion()
    {
        var versions = Directory.EnumerateFiles(Folder, "*.yml").SelectMany(File.ReadLines)
            .Select(l => UsesLine().Match(l).Groups["what"].Value.Trim())
            .Where(u => u.Contains('@', StringComparison.Ordinal))
            .Distinct()
            .GroupBy(u => string.Join('/', u.Split('@')[0].Split('/').Take(2)))
            .Where(g => g.Select(u => u.Split('@')[1]).Distinct().Count() > 1)
            .Select(g => g.Key);

        Assert.Empty(versions);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_Scripts_TakeNoExpressions(string file)
    {
        // An expression is put into a script as text: a branch named `$(…)` would be run. Environment variables are values.
        var scripts = Steps(Read(file)).Select(s => s.Text("run")).OfType<string>();

        Assert.All(scripts, s => Assert.DoesNotContain("${{", s, StringComparison.Ordinal));
    }

    // GitHub's default shell has no pipefail: `helm template … | kubeconform` would be green when nothing is rendered.
    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_Scripts_FailWithWhatFailsInThem(string file)
    {
        var workflow = Read(file);
        var hasScripts = Steps(workflow).Any(s => s.Text("run") is not null);

        Assert.Equal(hasScripts ? "bash" : null, workflow.Get("defaults").Get("run").Text("shell"));
        Assert.DoesNotContain(Steps(workflow), s => s.Text("shell") is not null);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_Checkouts_KeepNoCredentials(string file) => Assert.All(
        Steps(Read(file)).Where(s => s.Text("uses")?.StartsWith("actions/checkout@", StringComparison.Ordinal) == true),
        s => Assert.Equal("false", s.Get("with").Text("persist-credentials")));

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_Runners_AreNamedByVersion(string file)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));

        Assert.DoesNotContain("-latest", text, StringComparison.Ordinal);
        Assert.DoesNotContain("pull_request_target", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_ScriptsAndTargetsItNames_AreThere(string file)
    {
        var makefile = Checkout.Read("Makefile");
        var scripts = string.Join('\n', Steps(Read(file)).Select(s => s.Text("run")).OfType<string>());

        Assert.All(OwnScript().Matches(scripts).Select(m => m.Value), s => Assert.True(Path.Exists(Checkout.Path(s.Split('/'))), $"there is no {s}"));
        Assert.All(MakeTarget().Matches(scripts).Select(m => m.Groups["target"].Value),
            t => Assert.Matches(new Regex($"^{Regex.Escape(t)}:.*## ", RegexOptions.Multiline), makefile));
        Assert.All(TestProject().Matches(scripts).Select(m => m.Groups["name"].Value), n => Assert.True(Directory.Exists(Checkout.Path("tests", n)), n));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Workflow_WorkflowsItCalls_AreThereAndTakeWhatTheyAreGiven(string file) => Assert.All(
        Jobs(Read(file)).Where(j => j.Job.Get("uses") is not null),
        j =>
        {
            var called = Read(Path.GetFileName(j.Job.Text("uses")!));
            var inputs = called.Get("on").Get("workflow_call").Get("inputs") as YamlMappingNode;
            var given = ((YamlMappingNode?)j.Job.Get("with"))?.Children.Keys.Select(k => ((YamlScalarNode)k).Value) ?? [];
            Assert.All(given, g => Assert.NotNull(inputs.Get(g!)));
            Assert.All(inputs!.Children.Where(i => i.Value.Text("required") == "true"), i => Assert.Contains(((YamlScalarNode)i.Key).Value, given));

            // A called workflow has at most the rights of the job that calls it.
            var rights = (YamlMappingNode)j.Job.Get("permissions")!;
            Assert.All(Jobs(called).SelectMany(c => ((YamlMappingNode)c.Job.Get("permissions")!).Children),
                r => Assert.True(rights.Children.TryGetValue(r.Key, out var allowed) && (allowed.Equals(r.Value) || ((YamlScalarNode)allowed).Value == "write"), $"{r.Key}: {r.Value}"));
        });

    [Fact]
    public void Deploy_Production_ComesAfterStagingAndInAnEnvironment()
    {
        var deploy = Read("deploy.yml");
        var production = Jobs(deploy).Single(j => j.Name == "production").Job;

        Assert.Equal("staging", production.Text("needs"));
        Assert.Equal("dev", Jobs(deploy).Single(j => j.Name == "staging").Job.Text("needs"));
        Assert.All(Jobs(Read("deploy-one.yml")), j => Assert.Equal("${{ inputs.environment }}", j.Job.Text("environment")));
    }

    private static YamlMappingNode Read(string file) => Yaml.Read(Path.Combine(Folder, file));

    private static IEnumerable<(string Name, YamlNode Job)> Jobs(YamlNode workflow) =>
        ((YamlMappingNode)workflow.Get("jobs")!).Children.Select(j => (((YamlScalarNode)j.Key).Value!, j.Value));

    private static IEnumerable<YamlNode> Steps(YamlNode workflow) =>
        Jobs(workflow).SelectMany(j => (j.Job.Get("steps") as YamlSequenceNode)?.Children ?? []);

    [GeneratedRegex(@"^\s*(- )?uses:(?<what>.*)$")]
    private static partial Regex UsesLine();

    [GeneratedRegex(@"(?<![\w./$-])(src|\.ci|tests|docs)/[\w./-]*[\w]")]
    private static partial Regex OwnScript();

    [GeneratedRegex(@"\bmake (?<target>[a-z0-9-]+)")]
    private static partial Regex MakeTarget();

    [GeneratedRegex(@"tests/run(?: (?<name>[A-Z][\w.]+))+")]
    private static partial Regex TestProject();
}
