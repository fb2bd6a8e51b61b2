using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Kube.Client;
using Kube.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>docs/operating.md has a table of the metrics; it names what there is, and there is what it names.</summary>
public sealed partial class MetricsDocTests
{
    [Fact]
    public async Task Table_NamesEveryInstrument_AndNoOther()
    {
        var api = await TestedApi.KubeServerAsync();
        await using var server = api.Server!;
        using var client = KubeClient.Create(KubeConfig.Parse(api.Kubeconfig!));
        var names = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name is OperatorMetrics.MeterName or "Kube.Runtime")
                {
                    lock (names)
                    {
                        names.Add(instrument.Name);
                    }
                }
            },
        };
        listener.Start();
        using var host = new OperatorHost(
            new OperatorOptions
            {
                PublicOrigin = "http://localhost:8080",
                WorkspaceDomain = "localhost",
                LeaderElection = new ElectionOptions { Enabled = false },
            },
            client, "default", TimeProvider.System, NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var running = host.RunAsync(stop.Token);

        // The controllers make their instruments when they begin to work.
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!new[] { "berth_operator_queue_length", "workqueue_depth", "controller_runtime_active_workers" }.All(n => Has(names, n)))
        {
            await Task.Delay(20, deadline.Token);
        }

        await stop.CancelAsync();
        await running;
        var documented = Row().Matches(await File.ReadAllTextAsync(Checkout.Path("docs", "operating.md")))
            .Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(documented.Count, documented.Distinct().Count());
        string[] published;
        lock (names)
        {
            published = [.. names];
        }

        Assert.Equal(published.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    private static bool Has(HashSet<string> names, string name)
    {
        lock (names)
        {
            return names.Contains(name);
        }
    }

    [GeneratedRegex(@"^\| `([a-z_]+)(?:\{[^}]*\})?` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
