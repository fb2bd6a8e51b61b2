using Berth.Resources;
using Testing;

namespace Benchmarks.Operator;

/// <summary>What many workspaces cost: memory, writes of a start, requests of an hour in which nothing happens, and the time after a restart.</summary>
internal static class ScaleBenchmark
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(20);

    internal static async Task RunAsync(int count)
    {
        await using var process = await ApiProcess.StartAsync();
        await using var api = await BenchApi.OpenAsync(process.Kubeconfig);

        // Nobody uses them, and none is to stop within the hour that is looked at.
        var ns = await api.NamespaceAsync(s => s with { Lifetime = new TemplateLifetime { IdleTimeoutSeconds = 4 * 3600 } });
        long baseline;
        await using (var first = new RunningOperator(api, ns))
        {
            await first.UntilAsync(o => o.IsReady, Deadline);
            await first.UntilQuietAsync(Deadline);
            baseline = Memory();
            await using var kubelet = new Kubelet(api.Client, ns);
            first.Counting.Reset();
            await api.CreateManyAsync(ns, count);
            await first.UntilQuietAsync(Deadline);
            Program.Print("operator.writes-per-start", first.Counting.Writes / (double)count, "writes/workspace");
            Program.Print("operator.reads-per-start", (first.Counting.Gets + first.Counting.Lists) / (double)count, "reads/workspace");
            Program.Print("operator.events-per-start", first.Counting.Events / (double)count, "events/workspace");
            await Console.Error.WriteLineAsync(first.Counting.Details());
        }

        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var started = TimeProvider.System.GetTimestamp();
        await using var again = new RunningOperator(api, ns, clock);
        await again.UntilAsync(o => o.IsReady && o.Reconciles > 0, Deadline);
        Program.Print("operator.restart-to-first-reconcile", TimeProvider.System.GetElapsedTime(started).TotalSeconds, "s");
        await again.UntilAsync(o => o.Reconciles >= count, Deadline);
        Program.Print("operator.restart-to-all-reconciled", TimeProvider.System.GetElapsedTime(started).TotalSeconds, "s");
        await again.UntilQuietAsync(Deadline);
        Program.Print("operator.memory-per-workspace", (Memory() - baseline) / 1024.0 / count, "KB");
        Program.Print("operator.memory-base", baseline / 1024.0 / 1024.0, "MB");

        again.Counting.Reset();
        for (var second = 0; second < 3600; second++)
        {
            // The API's own time is real: the next second comes when nothing is on its way, so that the lease is renewed in time.
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            await again.UntilAsync(o => o.Counting.Pending == 0, Deadline);
        }

        await again.UntilQuietAsync(Deadline);
        Program.Print("operator.quiet-hour.writes", again.Counting.Writes, "requests");
        Program.Print("operator.quiet-hour.gets", again.Counting.Gets, "requests");
        Program.Print("operator.quiet-hour.lists", again.Counting.Lists, "requests");
        Program.Print("operator.quiet-hour.watches", again.Counting.Watches, "requests");
        Program.Print("operator.quiet-hour.lease-writes", again.Counting.Leases, "requests");
        await Console.Error.WriteLineAsync(again.Counting.Details());
    }

    private static long Memory()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
