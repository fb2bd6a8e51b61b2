using System.Text.Json;
using System.Text.RegularExpressions;
using Testing;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>Alerts and dashboards ask for what the programs expose: what is renamed in the code alone fails here.</summary>
public sealed partial class MetricNameTests
{
    // What Prometheus and the ServiceMonitor of the chart add to everything that is scraped.
    private static readonly string[] OfTheTarget = ["job", "namespace", "pod", "instance"];

    // Metrics of others. The names are theirs: kube-state-metrics, kubelet, Traefik 3, .NET's Kestrel meter, Prometheus itself.
    private static readonly Dictionary<string, string[]> Foreign = new(StringComparer.Ordinal)
    {
        ["up"] = [],
        ["kube_pod_container_status_waiting_reason"] = ["container", "reason"],
        ["kube_job_status_failed"] = ["job_name"],
        ["kube_resourcequota"] = ["resourcequota", "resource", "type"],
        ["kubelet_volume_stats_available_bytes"] = ["persistentvolumeclaim"],
        ["kubelet_volume_stats_capacity_bytes"] = ["persistentvolumeclaim"],
        ["traefik_tls_certs_not_after"] = ["cn", "sans", "serial"],
        ["kestrel_active_connections"] = [],
    };

    [Fact]
    public void Alerts_EveryMetricAndLabel_IsExposed() =>
        None(AlertFiles.All.SelectMany(a => Problems(a.Expression).Select(p => $"{a.Name}: {p}")));

    [Fact]
    public void Alerts_LabelsInTheirWords_ComeOutOfTheExpression() => None(AlertFiles.All.SelectMany(a =>
    {
        var query = new PromQuery(a.Expression);
        var aggregated = query.Grouping.Count > 0;
        var there = aggregated ? query.Grouping
            : query.Selectors.SelectMany(s => LabelsOf(s.Name) ?? new HashSet<string>()).Concat(OfTheTarget).ToHashSet();
        return a.Annotations.Values.SelectMany(t => LabelInWords().Matches(t)).Select(m => m.Groups[1].Value)
            .Where(l => !there.Contains(l)).Select(l => $"{a.Name}: $labels.{l} is always empty");
    }));

    [Fact]
    public void Dashboards_EveryMetricAndLabel_IsExposed()
    {
        var queries = Dashboards.All.SelectMany(d => d.Queries.Select(q => (d.File, q))).ToList();

        Assert.True(queries.Count > 60);
        None(queries.SelectMany(q => Problems(q.q.Expression).Select(p => $"{q.File}, {q.q.Panel}: {p}")));
    }

    [Fact]
    public void Dashboards_Legends_NameLabelsThatAreThere() => None(Dashboards.All.SelectMany(d => d.Queries).SelectMany(q =>
    {
        var query = new PromQuery(q.Expression);
        return Legend().Matches(q.Legend).Select(m => m.Groups[1].Value)
            .Where(l => !query.Grouping.Contains(l) && (query.Grouping.Count > 0 || !OfTheTarget.Contains(l)
                && query.Selectors.All(s => LabelsOf(s.Name)?.Contains(l) != true)))
            .Select(l => $"{q.Panel}: {{{{{l}}}}} is always empty");
    }));

    // What is read from the sources is right: the table of the operator is compared with a running one by a test of its own.
    [Fact]
    public void Sources_OfTheOperator_AreWhatItsDocumentSays()
    {
        var documented = OperatorRow().Matches(Checkout.Read("docs", "operating.md"))
            .ToDictionary(
                m => m.Groups[1].Value, m => m.Groups[2].Value.Split(',', StringSplitOptions.RemoveEmptyEntries).Order().ToArray());

        foreach (var (name, labels) in documented)
        {
            Assert.True(SourceInstruments.All.ContainsKey(name), $"{name} is in docs/operating.md and not in the sources");
            Assert.Equal((name, string.Join(',', labels)), (name, string.Join(',', SourceInstruments.All[name].Labels.Order())));
        }

        Assert.DoesNotContain(SourceInstruments.All.Keys,
            n => n.StartsWith("berth_operator_", StringComparison.Ordinal) && !documented.ContainsKey(n));
    }

    [Fact]
    public void Sources_OfTheEdge_AreInItsDocuments()
    {
        string[] pages = ["edge.md", "edge-operating.md", "upstream.md", "vault.md"];
        var text = string.Concat(pages.Select(p => Checkout.Read("docs", p)));

        Assert.DoesNotContain(SourceInstruments.All.Keys, n => EdgeName().IsMatch(n) && !text.Contains(n, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sum(rate(no_such_metric[5m]))", "no_such_metric")]
    [InlineData("berth_edge_requests_total{rout=\"api\"}", "rout")]
    [InlineData("sum by (fhase) (berth_operator_workspaces)", "fhase")]
    [InlineData("berth_edge_request_duration_seconds", "histogram")]
    [InlineData("rate(berth_edge_requests_total_bucket[5m])", "berth_edge_requests_total_bucket")]
    public void Problems_SomethingThatIsNotThere_IsNamed(string query, string named) =>
        Assert.Contains(named, Assert.Single(Problems(query)), StringComparison.Ordinal);

    [Theory]
    [InlineData("sum(up")]
    [InlineData("up)")]
    [InlineData("up{job=}")]
    [InlineData("smu(up)")]
    [InlineData("up & 1")]
    public void PromQuery_NoExpression_IsRefused(string text) => Assert.Throws<FormatException>(() => new PromQuery(text));

    [Fact]
    public void SourceInstruments_FieldsHelpersAndCallbacks_HaveTheirLabels()
    {
        const string Source = """
            _a = _meter.CreateCounter<long>("berth.a", "By", "Text, with commas (and brackets).");
            _meter.CreateObservableGauge("berth.b.age", () => all.Select(p => new Measurement<double>(1, Issuer(p))), "s", "Text.");
            public void Add(string x) => _a.Add(1, new KeyValuePair<string, object?>("one", x), new("two", x));
            private static KeyValuePair<string, object?> Issuer(P p) => new("issuer", p.Key);
            """;

        Assert.Equal(["berth_a_bytes_total one,two", "berth_b_age_seconds issuer"],
            SourceInstruments.Of(Source).Select(m => $"{m.Name} {string.Join(',', m.Labels.Order())}"));
    }

    private static void None(IEnumerable<string> problems)
    {
        var all = string.Join('\n', problems);
        Assert.True(all.Length == 0, all);
    }

    private static IEnumerable<string> Problems(string expression)
    {
        PromQuery query;
        string? unreadable = null;
        try
        {
            query = new PromQuery(expression);
        }
        catch (FormatException error)
        {
            (query, unreadable) = (new PromQuery("up"), error.Message);
        }

        if (unreadable is not null)
        {
            yield return unreadable;
            yield break;
        }

        var known = OfTheTarget.Append("le").ToHashSet();
        foreach (var (name, labels) in query.Selectors.Select(s => (s.Name, s.Labels)))
        {
            if (name == "ALERTS")
            {
                continue;
            }

            if (LabelsOf(name) is not { } there)
            {
                yield return SourceInstruments.All.ContainsKey(name) ? $"{name} is a histogram: ask for its _bucket, _sum or _count"
                    : $"no program exposes {name}";
                yield break;
            }

            known.UnionWith(there);
            foreach (var label in labels.Where(l => !there.Contains(l) && !OfTheTarget.Contains(l)))
            {
                yield return $"{name} has no label {label}";
            }
        }

        foreach (var label in query.Grouping.Where(l => !known.Contains(l)))
        {
            yield return $"nothing has the label {label}";
        }
    }

    private static IReadOnlySet<string>? LabelsOf(string name)
    {
        if (Foreign.TryGetValue(name, out var foreign))
        {
            return foreign.ToHashSet();
        }

        var part = HistogramPart().Match(name);
        return part.Success && SourceInstruments.All.GetValueOrDefault(name[..part.Index]) is { IsHistogram: true } histogram
            ? histogram.Labels
            : SourceInstruments.All.GetValueOrDefault(name) is { IsHistogram: false } metric ? metric.Labels : null;
    }

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();

    [GeneratedRegex(@"\$labels\.(\w+)")]
    private static partial Regex LabelInWords();

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Legend();

    [GeneratedRegex(@"^\| `([a-z_]+)(?:\{([^}]*)\})?` \|", RegexOptions.Multiline)]
    private static partial Regex OperatorRow();

    [GeneratedRegex("^(berth_(edge|accounts|vault)|process)_")]
    private static partial Regex EdgeName();
}
