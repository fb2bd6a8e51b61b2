using System.Text.Json.Nodes;
using Testing;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>What the chart makes of alerts, dashboards and ServiceMonitors.</summary>
public sealed class MonitoringTests
{
    private const string On = """
        monitoring:
          serviceMonitor: {enabled: true, labels: {release: prometheus}}
          prometheusRule: {enabled: true, labels: {release: prometheus}}
          dashboards: {enabled: true}
        """;

    [SkippableFact]
    public void Monitoring_NotAskedFor_NothingThatNeedsPrometheusOperator() => Assert.DoesNotContain(Chart.Render().All,
        m => m.Kind() is "ServiceMonitor" or "PrometheusRule" || m.Name().Contains("dashboard", StringComparison.Ordinal));

    [SkippableTheory]
    [InlineData("operator")]
    [InlineData("edge")]
    public void ServiceMonitor_SelectsTheManagementServiceOfItsPart(string part)
    {
        var manifests = Chart.Render(On);
        var monitor = manifests.One("ServiceMonitor", $"berth-{part}");
        var selector = monitor["spec"]!["selector"]!["matchLabels"]!.AsObject().ToDictionary(l => l.Key, l => (string)l.Value!);

        var selected = manifests.Of("Service").Where(s => selector.All(l => s.Labels().GetValueOrDefault(l.Key) == l.Value)).ToList();

        var service = Assert.Single(selected);
        var endpoint = Assert.Single(monitor["spec"]!["endpoints"]!.AsArray())!;
        Assert.Contains(service["spec"]!["ports"]!.AsArray(), p => (string)p!["name"]! == (string)endpoint["port"]!);
        Assert.Equal(Chart.Namespace, Assert.Single(monitor["spec"]!["namespaceSelector"]!["matchNames"].Strings()));
        Assert.Equal("prometheus", monitor.Labels()["release"]);

        // Alerts know it by this name, and figures of a namespace of workspaces keep theirs.
        var job = endpoint["relabelings"]![0]!;
        Assert.Equal(($"berth-{part}", "job"), ((string)job["replacement"]!, (string)job["targetLabel"]!));
        Assert.True((bool)endpoint["honorLabels"]!);
    }

    [SkippableFact]
    public void PrometheusRule_HasEveryAlertAsItIsInTheFiles()
    {
        var rules = Rules(Chart.Render(On));

        Assert.Equal(AlertFiles.All.Select(a => a.Name).Order(), rules.Keys.Order());
        Assert.All(AlertFiles.All, a =>
        {
            Assert.Equal(a.Expression, (string)rules[a.Name]["expr"]!);
            Assert.Equal(a.Annotations["summary"], (string)rules[a.Name]["annotations"]!["summary"]!);
            Assert.Equal(a.Annotations["runbook_url"], (string)rules[a.Name]["annotations"]!["runbook_url"]!);
        });
    }

    [SkippableFact]
    public void PrometheusRule_OtherNamespacesAndRunbooks_ArePutIn()
    {
        var rules = Rules(Chart.Render(
            new RenderOptions { Namespace = "tools" }, Chart.Required, On, "workspaces: {namespace: people}",
            "monitoring: {runbookBaseUrl: \"https://wiki/run/\"}"));

        Assert.Contains("namespace=~\"tools|people\"", (string)rules["BerthVolumeFilling"]["expr"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(rules.Values, r => ((string)r["expr"]!).Contains("berth-workspaces", StringComparison.Ordinal));
        Assert.Equal("https://wiki/run/BerthEdgeDown.md", (string)rules["BerthEdgeDown"]["annotations"]!["runbook_url"]!);
    }

    [SkippableFact]
    public void Overrides_ChangeWhatTheyNameAndNothingElse()
    {
        var rules = Rules(Chart.Render(On, """
            monitoring: {prometheusRule: {overrides: {BerthQueueLong: {for: 2h, labels: {severity: info}}, BerthOrphans: {enabled: false}}}}
            """));
        var original = AlertFiles.All.Single(a => a.Name == "BerthQueueLong");

        Assert.Equal(AlertFiles.All.Count - 1, rules.Count);
        Assert.DoesNotContain("BerthOrphans", rules.Keys);
        var changed = rules["BerthQueueLong"];
        Assert.Equal(("2h", "info"), ((string)changed["for"]!, (string)changed["labels"]!["severity"]!));
        Assert.Equal(original.Expression, (string)changed["expr"]!);
        Assert.Null(changed["enabled"]);
    }

    [SkippableFact]
    public void Overrides_NoSuchAlert_IsRefusedByName() => Assert.Contains("overrides.BerthNothing",
        Chart.Refusal(On, "monitoring: {prometheusRule: {overrides: {BerthNothing: {enabled: false}}}}"), StringComparison.Ordinal);

    [SkippableFact]
    public void Dashboards_EachFileIsAConfigMapThatTheSidecarFinds()
    {
        var maps = Chart.Render(On).Of("ConfigMap").Where(m => m.Labels().ContainsKey("grafana_dashboard")).ToList();

        Assert.Equal(Dashboards.All.Select(d => d.File), maps.SelectMany(m => m["data"]!.AsObject().Select(d => d.Key)).Order());
        Assert.All(maps, m => Assert.All(m["data"]!.AsObject(),
            d => Assert.Equal(Checkout.Read("charts", "berth", "dashboards", d.Key).TrimEnd(), ((string)d.Value!).TrimEnd())));
    }

    private static Dictionary<string, JsonNode> Rules(Manifests manifests) =>
        manifests.Of("PrometheusRule").Single()["spec"]!["groups"]!.AsArray()
            .SelectMany(g => g!["rules"]!.AsArray()).ToDictionary(r => (string)r!["alert"]!, r => r!);
}
