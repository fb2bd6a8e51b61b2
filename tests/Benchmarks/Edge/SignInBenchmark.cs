using System.Net;
using System.Net.Sockets;
using System.Text;
using Testing;

namespace Benchmarks.Edge;

/// <summary>Whole sign-ins: /login, the answer the provider would send the browser back with, /auth/callback. The provider's page is not part of it.</summary>
internal static class SignInBenchmark
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);
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
        var port = LoopbackPort.Free();
        using var edge = BenchProcess.StartOwn(BenchProcess.ProxyCore, port, EdgeServe.Command, "--port", $"{port}", "--upstream", url, "--issuer", url,
            "--audience", "https://bench.example", "--session", "bench-person");
        await edge.SaidAsync("cookie");
        Run(port, 8, WarmUp);
        var result = Run(port, 8, Time);
        Program.Print("edge.sign-in.rate", result.Rate, "sign-ins/s");
        Program.Print("edge.sign-in.p99", result.Percentile(0.99), "us");
    }

    // Over kept connections, for a time; each is a new session.
    private static LoadResult Run(int port, int connections, TimeSpan time)
    {
        var times = new List<double>[connections];
        var started = TimeProvider.System.GetTimestamp();
        var threads = Enumerable.Range(0, connections).Select(own => new Thread(() => times[own] = One(port, started, time), 256 * 1024)).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        return new LoadResult([.. times.SelectMany(t => t).Order()], TimeProvider.System.GetElapsedTime(started).TotalSeconds);
    }

    private static List<double> One(int port, long started, TimeSpan time)
    {
        var times = new List<double>();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        var host = $"Host: {EdgeServe.EdgeHost}:{port}";
        while (TimeProvider.System.GetElapsedTime(started) < time)
        {
            var begun = TimeProvider.System.GetTimestamp();
            var asked = Ask(socket, HttpLoad.Request("/login?return=%2Ftos", host));
            var query = Header(asked, "Location").Split('?', 2)[1].Split('&').Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
            var flow = Header(asked, "Set-Cookie").Split(';')[0];
            var done = Ask(socket, HttpLoad.Request($"/auth/callback?code={query["nonce"]}&state={query["state"]}", host, $"Cookie: {flow}"));
            if (Header(done, "Location") != "/tos")
            {
                throw new InvalidDataException($"The sign-in ended at {done.Split('\r')[0]}");
            }

            times.Add(TimeProvider.System.GetElapsedTime(begun).TotalMicroseconds);
        }

        return times;
    }

    // Redirects have no body.
    private static string Ask(Socket socket, byte[] request)
    {
        socket.Send(request);
        var buffer = new byte[32 * 1024];
        var have = 0;
        while (buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8) < 0)
        {
            var more = socket.Receive(buffer.AsSpan(have));
            have += more > 0 ? more : throw new InvalidDataException("the connection ended within an answer");
        }

        return Encoding.ASCII.GetString(buffer, 0, have);
    }

    private static string Header(string answer, string name) =>
        answer.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim()
        ?? throw new InvalidDataException($"No {name} in: {answer.Split('\r')[0]}");
}
