using System.Globalization;
using Benchmarks.Accounts;
using Benchmarks.Edge;
using Benchmarks.Operator;
using Kube.Runtime;

namespace Benchmarks;

/// <summary>Prints one figure a line: <c>bench area.what value unit</c>.</summary>
internal static class Program
{
    /// <summary>With names of areas it runs those alone: <c>queue watch accounts latency warm scale throughput vault edge edge-sockets edge-sign-in</c>.</summary>
    /// <remarks>Other commands are parts of those, and <see cref="EdgeServe"/> for load from outside.</remarks>
    private static async Task<int> Main(string[] args)
    {
        if (args is [ApiProcess.Command, var folder])
        {
            await ApiProcess.ServeAsync(folder);
            return 0;
        }

        switch (args)
        {
            case [EdgeServe.Command, .. var rest]:
                return await EdgeServe.RunAsync(rest);
            case [YarpServe.Command, var port, var upstream]:
                return await YarpServe.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), upstream);
            case [BenchUpstream.Command, var port]:
                return await BenchUpstream.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
        }

        (string Name, Func<Task> Run)[] areas =
        [
            ("queue", WorkQueueAsync),
            ("watch", WatchBenchmark.RunAsync),
            ("accounts", AccountsBenchmark.RunAsync),
            ("latency", OperatorBenchmarks.LatencyAsync),
            ("warm", OperatorBenchmarks.WarmAsync),
            ("scale", OperatorBenchmarks.ScaleAsync),
            ("throughput", OperatorBenchmarks.ThroughputAsync),
            ("vault", VaultBenchmark.RunAsync),
            ("edge", EdgeBenchmark.RunAsync),
            ("edge-sockets", SocketBenchmark.RunAsync),
            ("edge-sign-in", SignInBenchmark.RunAsync),
        ];
        foreach (var (name, run) in areas)
        {
            if (args.Length == 0 || args.Contains(name))
            {
                await run();
            }
        }

        return 0;
    }

    /// <summary>A key's whole way through the queue, by one worker: the ceiling of what a controller can take up.</summary>
    private static async Task WorkQueueAsync()
    {
        const int Keys = 1000;
        const int Rounds = 200;
        using var queue = new WorkQueue<int>("bench", TimeProvider.System);
        await RoundAsync(queue, Keys); // warm
        var started = TimeProvider.System.GetTimestamp();
        var allocated = GC.GetTotalAllocatedBytes();
        for (var round = 0; round < Rounds; round++)
        {
            await RoundAsync(queue, Keys);
        }

        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Print("workqueue.add-get-done", Keys * Rounds / seconds, "ops/s");
        Print("workqueue.allocated", (GC.GetTotalAllocatedBytes() - allocated) / (double)(Keys * Rounds), "B/op");
    }

    private static async Task RoundAsync(WorkQueue<int> queue, int keys)
    {
        for (var key = 0; key < keys; key++)
        {
            queue.Add(key);
        }

        for (var key = 0; key < keys; key++)
        {
            queue.Done((await queue.GetAsync(CancellationToken.None)).Key);
        }
    }

    internal static void Print(string what, double value, string unit) => Console.WriteLine($"bench {what} {value:0.##} {unit}");
}
