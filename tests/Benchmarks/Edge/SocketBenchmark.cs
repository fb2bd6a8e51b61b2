using System.Globalization;
using Testing;

namespace Benchmarks.Edge;

/// <summary>WebSockets through the edge and through bare YARP: round trip, throughput, and what ten thousand that say nothing cost.</summary>
internal static class SocketBenchmark
{
    private const int Connections = 32;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(3);

    /// <summary>Runs it; needs two cores and taskset.</summary>
    internal static async Task RunAsync()
    {
        if (!await BenchProcess.CanPinAsync())
        {
            return;
        }

        using var upstream = BenchProcess.StartUpstream();
        var url = upstream.Url;
        var serverPort = LoopbackPort.Free();

        // What the server beneath all of them needs for a connection that is upgraded and waits, before anything is proxied.
        using (var server = BenchProcess.StartOwn(BenchProcess.ProxyCore, serverPort, BenchUpstream.Command, $"{serverPort}"))
        {
            await IdleAsync("kestrel", server, new WebSocketLoad(serverPort, BenchUpstream.HoldPath, "Host: bench.example"));
        }

        using (var yarp = BenchProcess.StartYarp(upstream))
        {
            await MeasureAsync("yarp", yarp, new WebSocketLoad(yarp.Port, BenchUpstream.EchoPath, "Host: bench.example"));
        }

        var port = LoopbackPort.Free();
        using var edge = BenchProcess.StartOwn(BenchProcess.ProxyCore, port, EdgeServe.Command, "--port", $"{port}", "--upstream", url, "--issuer", url,
            "--audience", "https://bench.example", "--session", "bench-person");
        var cookie = await edge.SaidAsync("cookie");
        await MeasureAsync("edge", edge, new WebSocketLoad(
            port, BenchUpstream.EchoPath, "Host: bench.example", $"Cookie: {cookie}", $"Origin: http://{EdgeServe.WorkspaceHost}:{port}"));
    }

    private static async Task MeasureAsync(string name, BenchProcess process, WebSocketLoad load)
    {
        load.EchoFor(Connections, WarmUp);
        var one = load.EchoFor(1, Time);
        Program.Print($"edge.websocket.{name}.round-trip.p50", one.Percentile(0.5), "us");
        Program.Print($"edge.websocket.{name}.round-trip.p99", one.Percentile(0.99), "us");
        Program.Print($"edge.websocket.{name}.messages", load.EchoFor(Connections, Time).Rate, "echoes/s");
        await IdleAsync(name, process, load);
    }

    // A proxy holds two descriptors for each, and a machine may allow fewer than ten thousand need.
    private static async Task IdleAsync(string name, BenchProcess process, WebSocketLoad load)
    {
        var limit = int.Parse(File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], CultureInfo.InvariantCulture);
        var count = Math.Min(10_000, (limit - 500) / 2);
        var before = process.ResidentBytes;
        var sockets = Enumerable.Range(0, count).Select(_ => load.Open()).ToList();
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        Program.Print($"edge.websocket.{name}.idle.count", count, "sockets");
        Program.Print($"edge.websocket.{name}.idle.memory", (process.ResidentBytes - before) / 1024.0 / count, "KiB each");
        var used = process.Processor;
        var started = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
        Program.Print($"edge.websocket.{name}.idle.cpu", (process.Processor - used) / TimeProvider.System.GetElapsedTime(started) * 100, "% of a core");
        sockets.ForEach(s => s.Dispose());
    }
}
