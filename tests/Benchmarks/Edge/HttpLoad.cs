using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Benchmarks.Edge;

/// <summary>
/// A load of HTTP/1.1 requests over kept connections: one thread and one blocking socket each, which costs less of the shared machine than any
/// asynchronous client. Answers are read to their end by Content-Length and must have the expected status.
/// </summary>
internal sealed class HttpLoad(int port, int expectedStatus = 200)
{
    private static readonly byte[] HeaderEnd = "\r\n\r\n"u8.ToArray();

    /// <summary>A GET with the given header lines.</summary>
    internal static byte[] Request(string path, params string[] headers) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n");

    /// <summary>Sends as fast as answers come, on each connection, for a time.</summary>
    internal LoadResult Closed(int connections, TimeSpan time, byte[] request) =>
        Run(connections, (_, _) => request, started => TimeProvider.System.GetElapsedTime(started) < time, pause: null);

    /// <summary>Sends each request once, as fast as answers come.</summary>
    internal LoadResult Each(int connections, byte[][] requests)
    {
        var next = -1;
        return Run(connections, (_, _) => requests[Math.Min(Interlocked.Increment(ref next), requests.Length - 1)],
            _ => Volatile.Read(ref next) < requests.Length - 1, pause: null);
    }

    /// <summary>Sends at a rate, spread over the connections; latency counts from the sending.</summary>
    internal LoadResult Paced(int connections, TimeSpan time, double perSecond, byte[] request) => Run(
        connections, (_, _) => request, started => TimeProvider.System.GetElapsedTime(started) < time,
        pause: TimeSpan.FromSeconds(connections / perSecond));

    private LoadResult Run(int connections, Func<int, int, byte[]> request, Func<long, bool> goesOn, TimeSpan? pause)
    {
        var times = new List<double>[connections];
        var failure = default(Exception);
        var started = TimeProvider.System.GetTimestamp();
        var threads = Enumerable.Range(0, connections).Select(own => new Thread(() =>
        {
            try
            {
                times[own] = One(own, request, () => goesOn(started), started, pause, connections);
            }
            catch (Exception error) when (error is SocketException or InvalidDataException)
            {
                failure = error;
                times[own] = [];
            }
        }, 256 * 1024)).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        return failure is null ? new LoadResult([.. times.SelectMany(t => t).Order()], seconds)
            : throw new InvalidDataException($"The load on port {port} failed: {failure.Message}", failure);
    }

    private List<double> One(int own, Func<int, int, byte[]> request, Func<bool> goesOn, long started, TimeSpan? pause, int connections)
    {
        var times = new List<double>(200_000);
        var buffer = new byte[64 * 1024];
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        for (var count = 0; goesOn(); count++)
        {
            if (pause is { } step)
            {
                var due = (step * count) + (step * own / connections);
                var left = due - TimeProvider.System.GetElapsedTime(started);
                if (left > TimeSpan.Zero)
                {
                    Thread.Sleep(left);
                }
            }

            var begun = TimeProvider.System.GetTimestamp();
            socket.Send(request(own, count));
            Read(socket, buffer);
            times.Add(TimeProvider.System.GetElapsedTime(begun).TotalMicroseconds);
        }

        return times;
    }

    private void Read(Socket socket, byte[] buffer)
    {
        var have = 0;
        var end = -1;
        while (end < 0)
        {
            var more = socket.Receive(buffer.AsSpan(have));
            have += more > 0 ? more : throw new InvalidDataException("the connection ended within an answer");
            end = buffer.AsSpan(0, have).IndexOf(HeaderEnd);
        }

        var head = Encoding.ASCII.GetString(buffer, 0, end);
        if (!head.StartsWith($"HTTP/1.1 {expectedStatus} ", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"answered {head.Split('\r')[0]}");
        }

        var length = LengthOf(head);
        for (var left = length - (have - end - HeaderEnd.Length); left > 0;)
        {
            var more = socket.Receive(buffer);
            left -= more > 0 ? more : throw new InvalidDataException("the connection ended within a body");
        }
    }

    private static int LengthOf(string head)
    {
        const string Name = "\r\ncontent-length:";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return 0;
        }

        var rest = head.AsSpan(at + Name.Length);
        var end = rest.IndexOf('\r');
        return int.Parse((end < 0 ? rest : rest[..end]).Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>What a load saw.</summary>
/// <param name="Times">Latencies in microseconds, ascending.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record LoadResult(List<double> Times, double Seconds)
{
    internal double Rate => Times.Count / Seconds;

    internal double Percentile(double part) => Times.Count == 0 ? 0 : Times[Math.Min((int)(Times.Count * part), Times.Count - 1)];
}
