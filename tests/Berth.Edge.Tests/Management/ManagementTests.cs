using System.Diagnostics.Metrics;
using System.Net;
using Berth.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.Management;

public class ManagementTests
{
    [Fact]
    public async Task Probes_Ready_OkAndNotOnThePublicListener()
    {
        await using var edge = await ProductFixture.StartAsync();
        await ProductFixture.Until(() => edge.Get<ManagementServer>().NotReadyBecause().Count == 0);
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        Assert.Equal("ok\n", await client.GetStringAsync("/livez"));
        Assert.Equal("ok\n", await client.GetStringAsync("/readyz"));
        var browser = edge.NewBrowser();
        foreach (var path in (string[])["/livez", "/readyz", "/metrics"])
        {
            using var answer = await browser.GetAsync(ProductFixture.Origin + path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Readyz_AccountsNotReached_503SaysWhyAndLivezIsOk()
    {
        var accounts = new BrokenAccounts { FailsToStart = true };
        await using var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(accounts));
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        using var ready = await client.GetAsync("/readyz");
        using var live = await client.GetAsync("/livez");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (ready.StatusCode, live.StatusCode));
        Assert.Contains("account store", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_AfterRequests_RequestsAndOurGauges()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var created = await api.PostAsync("/api/workspaces", null);
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        var text = await client.GetStringAsync("/metrics");

        Assert.Contains("\n# TYPE berth_edge_workspaces gauge\nberth_edge_workspaces 1\n", text, StringComparison.Ordinal);
        Assert.Contains("berth_edge_actions_total{action=\"workspace.create\",outcome=\"allowed\"}", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE http_server_request_duration_seconds histogram", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Collector_EachKindOfInstrument_PrometheusText()
    {
        using var collector = new PrometheusCollector();
        using var meter = new Meter("Berth.Test");
        var counter = meter.CreateCounter<long>("berth.test.things", "{thing}", "Things.");
        var upDown = meter.CreateUpDownCounter<int>("berth.test.open");
        var histogram = meter.CreateHistogram("berth.test.wait", "s", null, null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 5] });
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
        ], lines);
    }

    [Fact]
    public void Collector_LabelWithoutEnd_IsBounded()
    {
        using var collector = new PrometheusCollector();
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
