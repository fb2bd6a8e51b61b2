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
        meter.CreateObservableGauge(
            "now",
            () => phases.Select(p => new Measurement<long>(p.Item2, new KeyValuePair<string, object?>("phase", p.Item1)))
        );
        var active = meter.CreateUpDownCounter<int>("active");
        active.Add(3);
        active.Add(-1);

        var text = collector.Collect();
        Assert.Contains(
            "# HELP things_done_total Things done.\n# TYPE things_done_total counter\nthings_done_total{kind=\"a\\\"b\"} 5\n",
            text,
            StringComparison.Ordinal
        );
        Assert.Contains("wait_seconds_bucket{le=\"0.01\"} 0\nwait_seconds_bucket{le=\"0.025\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "wait_seconds_bucket{le=\"+Inf\"} 1\nwait_seconds_sum 0.02\nwait_seconds_count 1\n",
            text,
            StringComparison.Ordinal
        );
        Assert.Contains("now{phase=\"Running\"} 2\nnow{phase=\"Stopped\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE active gauge\nactive 2\n", text, StringComparison.Ordinal);

        phases.RemoveAt(0);
        Assert.DoesNotContain("Running", collector.Collect(), StringComparison.Ordinal);
    }

    [Fact]
    public void Collect_NamesAndUnits_FollowThePrometheusRules()
    {
        using var collector = new PrometheusCollector("Berth.Test");
        using var meter = new Meter("Berth.Test");
        var counter = meter.CreateCounter<long>("berth.test.things", "{thing}", "Things.");
        var upDown = meter.CreateUpDownCounter<int>("berth.test.open");
        var histogram = meter.CreateHistogram(
            "berth.test.wait",
            "s",
            null,
            null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 5] }
        );
        meter.CreateObservableGauge("berth.test.size", () => 42.5, "By");
        counter.Add(2, new KeyValuePair<string, object?>("a", "x\"y\\z\n"));
        counter.Add(3, new KeyValuePair<string, object?>("a", "x\"y\\z\n"));
        upDown.Add(5);
        upDown.Add(-2);
        histogram.Record(0.5);
        histogram.Record(5);
        histogram.Record(50);

        var lines = collector.Collect().Split('\n').Where(l => l.StartsWith("berth_test", StringComparison.Ordinal)).ToArray();

        Assert.Equal(
            [
                "berth_test_open 3",
                "berth_test_size_bytes 42.5",
                "berth_test_things_total{a=\"x\\\"y\\\\z\\n\"} 5",
                "berth_test_wait_seconds_bucket{le=\"1\"} 1",
                "berth_test_wait_seconds_bucket{le=\"5\"} 2",
                "berth_test_wait_seconds_bucket{le=\"+Inf\"} 3",
                "berth_test_wait_seconds_sum 55.5",
                "berth_test_wait_seconds_count 3",
            ],
            lines
        );
    }

    [Fact]
    public void Collect_LabelWithoutEnd_IsBounded()
    {
        using var collector = new PrometheusCollector("Berth.Test");
        using var meter = new Meter("Berth.Test.Many");
        var counter = meter.CreateCounter<long>("berth.many");
        for (var i = 0; i < 5000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("id", i));
        }

        var lines = collector.Collect().Split('\n').Where(l => l.StartsWith("berth_many_total{", StringComparison.Ordinal)).ToArray();

        Assert.InRange(lines.Length, 2, 2001);
        Assert.Contains("berth_many_total{overflow=\"true\"} 3000", lines);
    }
}
