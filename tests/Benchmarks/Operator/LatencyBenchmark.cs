using System.Collections.Concurrent;
using Kube.Client;
using Kube.Client.Models;

namespace Benchmarks.Operator;

/// <summary>Time from a wish to its pod, while wishes come at a steady rate.</summary>
internal static class LatencyBenchmark
{
    internal static async Task RunAsync(BenchApi api, string name, int perSecond, int count)
    {
        var ns = await api.NamespaceAsync();
        var wished = new ConcurrentDictionary<string, long>();
        var taken = new ConcurrentDictionary<string, double>();
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await using var running = new RunningOperator(api, ns);
        await running.UntilAsync(o => o.IsReady, TimeSpan.FromMinutes(1));
        await running.UntilQuietAsync(TimeSpan.FromMinutes(1));
        var watching = Task.Run(async () =>
        {
            await foreach (var frame in api.Client.WatchAsync<Pod>(ns, new WatchOptions { ResourceVersion = "0" }, stop.Token))
            {
                if (frame is WatchEvent<Pod>.Added { Object.Metadata.Name: { } pod } && wished.TryGetValue(pod, out var at)
                    && taken.TryAdd(pod, TimeProvider.System.GetElapsedTime(at).TotalMilliseconds) && taken.Count == count)
                {
                    return;
                }
            }
        });

        var began = TimeProvider.System.GetTimestamp();
        var wishes = new List<Task>();
        for (var i = 0; i < count; i++)
        {
            var due = TimeSpan.FromSeconds(i / (double)perSecond) - TimeProvider.System.GetElapsedTime(began);
            if (due > TimeSpan.Zero)
            {
                await Task.Delay(due, TimeProvider.System);
            }

            var workspace = $"ws-{i:d5}";
            wished[workspace] = TimeProvider.System.GetTimestamp();
            wishes.Add(api.CreateAsync(ns, workspace));
        }

        await Task.WhenAll(wishes);
        await watching;
        var sorted = taken.Values.Order().ToArray();
        Program.Print($"operator.wish-to-pod.{name}.p50", Percentile(sorted, 0.50), "ms");
        Program.Print($"operator.wish-to-pod.{name}.p99", Percentile(sorted, 0.99), "ms");
    }

    internal static double Percentile(double[] sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
}
