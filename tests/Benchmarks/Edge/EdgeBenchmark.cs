using Testing;

namespace Benchmarks.Edge;

/// <summary>
/// The edge under load beside what others use, one core for the proxy, one for load and upstream. Every rate is that of a whole core of
/// the proxy; ratios are of medians of interleaved rounds.
/// </summary>
internal static class EdgeBenchmark
{
    private const int Connections = 32;
    private const int Rounds = 9;
    private const int DistinctTokens = 30_000;
    private const string Audience = "https://bench.example";
    private const string Subject = "bench-person";

    // What is compiled while it runs needs its time; the others are warm at once.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(3);

    // Many short ones: what else the machine does comes and goes within seconds, and should hit all alike.
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    /// <summary>Runs it; needs two cores and taskset.</summary>
    internal static async Task RunAsync()
    {
        if (!await BenchProcess.CanPinAsync())
        {
            return;
        }

        using var keys = new BenchKeys();
        var folder = Directory.CreateTempSubdirectory("berth-edge-bench-");
        var jwks = Path.Combine(folder.FullName, "jwks.json");
        await File.WriteAllTextAsync(jwks, keys.Jwks);
        const string Issuer = "https://issuer.bench.example";
        var tokens = keys.AccessTokens(DistinctTokens, Issuer, Audience, Subject);
        using var upstream = BenchProcess.StartUpstream();
        var url = upstream.Url;
        var edgePort = LoopbackPort.Free();
        using var edge = BenchProcess.StartOwn(BenchProcess.ProxyCore, edgePort, EdgeServe.Command, "--port", $"{edgePort}", "--upstream", url,
            "--jwks", jwks, "--issuer", Issuer, "--audience", Audience, "--session", Subject);
        using var yarp = BenchProcess.StartYarp(upstream);
        var peers = Peers.Start(folder.FullName, upstream.Port, keys, Issuer, Audience);
        try
        {
            var cookie = await edge.SaidAsync("cookie");
            var bearer = $"Authorization: Bearer {tokens[0]}";
            List<Target> targets =
            [
                new("direct", upstream, []),
                new("yarp", yarp, []),
                new("cookie", edge, [$"Cookie: {cookie}"]),
                new("bearer-cached", edge, [bearer]),
                .. peers.Select(p => new Target(p.Name, p.Process, [bearer])),
            ];
            var rates = Rates(targets);
            Uncached(edgePort, tokens, rates);
            Ratios(rates);
            Latency(targets, rates["bearer-cached"]);
            ForwardAuth(edgePort, cookie);
        }
        finally
        {
            peers.ForEach(p => p.Process.Dispose());
        }

        folder.Delete(recursive: true);
    }

    private static Dictionary<string, double> Rates(List<Target> targets)
    {
        foreach (var target in targets)
        {
            new HttpLoad(target.Port).Closed(Connections, target.IsCompiledWhileItRuns ? WarmUp : WarmUp / 10, target.Request);
        }

        var results = targets.ToDictionary(t => t.Name, _ => new List<LoadResult>());
        var costs = targets.ToDictionary(t => t.Name, _ => new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var target in targets)
            {
                var used = target.Process.Processor;
                var result = new HttpLoad(target.Port).Closed(Connections, Round, target.Request);
                results[target.Name].Add(result);
                costs[target.Name].Add((target.Process.Processor - used).TotalMicroseconds / result.Times.Count);
            }
        }

        var rates = new Dictionary<string, double>();
        foreach (var (name, rounds) in results)
        {
            var median = rounds.OrderBy(r => r.Rate).ElementAt(Rounds / 2);
            rates[name] = median.Rate;
            Program.Print($"edge.{name}.rate", median.Rate, "requests/s");
            Program.Print($"edge.{name}.cpu", costs[name].Order().ElementAt(Rounds / 2), "us/request");
            Program.Print($"edge.{name}.p50", median.Percentile(0.5), "us");
            Program.Print($"edge.{name}.p99", median.Percentile(0.99), "us");
        }

        return rates;
    }

    // Each token once: every request verifies a signature.
    private static void Uncached(int port, string[] tokens, Dictionary<string, double> rates)
    {
        byte[][] requests = [.. tokens.Skip(1).Select(t => HttpLoad.Request("/", "Host: bench.example", $"Authorization: Bearer {t}"))];
        var result = new HttpLoad(port).Each(Connections, requests);
        rates["bearer-uncached"] = result.Rate;
        Program.Print("edge.bearer-uncached.rate", result.Rate, "requests/s");
        Program.Print("edge.bearer-uncached.p99", result.Percentile(0.99), "us");
    }

    private static void Ratios(Dictionary<string, double> rates)
    {
        foreach (var ours in (string[])["cookie", "bearer-cached", "bearer-uncached"])
        {
            foreach (var (peer, rate) in rates.Where(r => r.Key is not ("direct" or "cookie" or "bearer-cached" or "bearer-uncached")))
            {
                Program.Print($"edge.{ours}.of-{peer}", rates[ours] / rate, "x");
            }
        }
    }

    // At half of what the edge can do, so that queueing for the one core does not hide what the edge itself adds.
    private static void Latency(List<Target> targets, double rate)
    {
        var p99 = new Dictionary<string, double>();
        foreach (var target in targets.Where(t => t.Name is "direct" or "yarp" or "cookie" or "bearer-cached"))
        {
            var load = new HttpLoad(target.Port);
            load.Paced(Connections, Time / 3, rate / 2, target.Request);
            var result = load.Paced(Connections, Time, rate / 2, target.Request);
            p99[target.Name] = result.Percentile(0.99);
            Program.Print($"edge.half-load.{target.Name}.p50", result.Percentile(0.5), "us");
            Program.Print($"edge.half-load.{target.Name}.p99", p99[target.Name], "us");
        }

        Program.Print("edge.half-load.p99-added-to-direct", p99["bearer-cached"] - p99["direct"], "us");
        Program.Print("edge.half-load.p99-added-to-yarp", p99["bearer-cached"] - p99["yarp"], "us");
    }

    private static void ForwardAuth(int port, string cookie)
    {
        var request = HttpLoad.Request($"/auth/forward/{EdgeServe.Name}", "Host: edge.berth.svc", "X-Forwarded-Method: GET", "X-Forwarded-Proto: http",
            $"X-Forwarded-Host: {EdgeServe.WorkspaceHost}:{port}", "X-Forwarded-Uri: /index.html", "X-Forwarded-For: 203.0.113.7", $"Cookie: {cookie}");
        var load = new HttpLoad(port);
        load.Closed(Connections, WarmUp / 3, request);
        var result = load.Closed(Connections, Time, request);
        Program.Print("edge.forward-auth.rate", result.Rate, "decisions/s");
        Program.Print("edge.forward-auth.p99", result.Percentile(0.99), "us");
    }

    private sealed record Target(string Name, BenchProcess Process, string[] Headers)
    {
        internal bool IsCompiledWhileItRuns => Name is "direct" or "yarp" or "cookie" or "bearer-cached" or "configurable-http-proxy";

        internal int Port => Process.Port;

        internal byte[] Request { get; } = HttpLoad.Request("/", ["Host: bench.example", .. Headers]);
    }
}
