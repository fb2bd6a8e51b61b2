using System.Collections.Concurrent;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Benchmarks.Operator;

/// <summary>Time from a wish to a workspace that can be used, with a pod that waited for it; beside it the same without a pool, where the nodes take no time.</summary>
internal static class WarmBenchmark
{
    private const int Claims = 100;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    internal static async Task RunAsync(BenchApi api, string name)
    {
        var warm = await MeasureAsync(api, new TemplateWarmPool { Size = Claims, RefillPerMinute = 6000 });
        Program.Print($"operator.warm-claim.{name}.p50", LatencyBenchmark.Percentile(warm, 0.50), "ms");
        Program.Print($"operator.warm-claim.{name}.p99", LatencyBenchmark.Percentile(warm, 0.99), "ms");
        var cold = await MeasureAsync(api, null);
        Program.Print($"operator.cold-start-without-node-time.{name}.p50", LatencyBenchmark.Percentile(cold, 0.50), "ms");
    }

    private static async Task<double[]> MeasureAsync(BenchApi api, TemplateWarmPool? pool)
    {
        var ns = await api.NamespaceAsync(spec => spec with { WarmPool = pool });
        await using var kubelet = new Kubelet(api.Client, ns);
        await using var running = new RunningOperator(api, ns);
        await running.UntilAsync(o => o.IsReady, Deadline);
        await api.UntilCountAsync(Pod.Descriptor, ns, pool?.Size ?? 0, Deadline);
        await running.UntilQuietAsync(Deadline);

        using var stop = new CancellationTokenSource(Deadline);
        var wished = new ConcurrentDictionary<string, long>();
        var taken = new ConcurrentDictionary<string, double>();
        var watching = Task.Run(async () =>
        {
            await foreach (var frame in api.Client.WatchAsync<UserWorkspace>(ns, new WatchOptions { ResourceVersion = "0" }, stop.Token))
            {
                if (frame is WatchEvent<UserWorkspace>.Modified { Object: { Status.Phase: WorkspacePhases.Running } workspace }
                    && (pool is null || workspace.Status.Start?.Path == StartPaths.Warm)
                    && wished.TryGetValue(workspace.Metadata.Name!, out var at)
                    && taken.TryAdd(workspace.Metadata.Name!, TimeProvider.System.GetElapsedTime(at).TotalMilliseconds)
                    && taken.Count == Claims)
                {
                    return;
                }
            }
        });
        for (var i = 0; i < Claims; i++)
        {
            var workspace = $"ws-{i:d5}";
            wished[workspace] = TimeProvider.System.GetTimestamp();
            await api.CreateAsync(ns, workspace);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        await watching;
        return [.. taken.Values.Order()];
    }
}
