using System.Diagnostics.Metrics;

namespace Kube.Runtime.Tests.Metrics;

public sealed class PrometheusCollectorTests
{
    [Fact]
    public void Collect_Instruments_IsPrometheusText()
    {
        var name = "Test." + Guid.NewGuid().ToString("N");
        using var collector = new PrometheusCollector(name);
        using var meter = new Meter(name);
        var counter = meter.CreateCounter<long>("things.done_total", null, "Things\ndone.");
        counter.Add(2, new KeyValuePair<string, object?>("kind", "a\"b"));
        counter.Add(3, new KeyValuePair<string, object?>("kind", "a\"b"));
        meter.CreateHistogram<double>("wait_seconds").Record(0.02);
        var phases = new List<(string, long)> { ("Running", 2), ("Stopped", 1) };
        meter.CreateObservableGauge("now", () =>
            phases.Select(p => new Measurement<long>(p.Item2, new KeyValuePair<string, object?>("phase", p.Item1))));
        var active = meter.CreateUpDownCounter<int>("active");
        active.Add(3);
        active.Add(-1);

        var text = collector.Collect();
        Assert.Contains("# HELP things_done_total Things done.\n# TYPE things_done_total counter\nthings_done_total{kind=\"a\\\"b\"} 5\n", text, StringComparison.Ordinal);
        Assert.Contains("wait_seconds_bucket{le=\"0.01\"} 0\nwait_seconds_bucket{le=\"0.025\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wait_seconds_bucket{le=\"+Inf\"} 1\nwait_seconds_sum 0.02\nwait_seconds_count 1\n", text,
            StringComparison.Ordinal);
        Assert.Contains("now{phase=\"Running\"} 2\nnow{phase=\"Stopped\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE active gauge\nactive 2\n", text, StringComparison.Ordinal);

        phases.RemoveAt(0);
        Assert.DoesNotContain("Running", collector.Collect(), StringComparison.Ordinal);
    }
}
