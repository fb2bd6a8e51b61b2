using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Benchmarks.Edge;

/// <summary>WebSockets by hand: a handshake, and small masked frames (RFC 6455) over blocking sockets.</summary>
internal sealed class WebSocketLoad(int port, string path, params string[] headers)
{
    private const int Payload = 64;
    private const int Frame = 2 + 4 + Payload;
    private const int Echo = 2 + Payload;

    private readonly byte[] _handshake = Encoding.ASCII.GetBytes(
        "GET " + path + " HTTP/1.1\r\n" + string.Concat(headers.Select(h => h + "\r\n"))
        + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");

    /// <summary>Opens one; it is switched when this returns.</summary>
    internal Socket Open()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        socket.Send(_handshake);
        var buffer = new byte[4096];
        var have = 0;
        while (buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8) < 0)
        {
            var more = socket.Receive(buffer.AsSpan(have));
            have += more > 0 ? more : throw new InvalidDataException("the connection ended within the handshake");
        }

        var status = Encoding.ASCII.GetString(buffer, 0, Math.Min(have, 60)).Split('\r')[0];
        return status.StartsWith("HTTP/1.1 101", StringComparison.Ordinal) ? socket : throw new InvalidDataException($"the handshake answered {status}");
    }

    /// <summary>Sends a frame of 64 bytes and awaits its echo, on each socket, for a time.</summary>
    internal LoadResult EchoFor(int connections, TimeSpan time)
    {
        var times = new List<double>[connections];
        var sockets = Enumerable.Range(0, connections).Select(_ => Open()).ToList();
        var started = TimeProvider.System.GetTimestamp();
        var threads = Enumerable.Range(0, connections).Select(own => new Thread(() => times[own] = One(sockets[own], started, time), 256 * 1024)).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        sockets.ForEach(s => s.Dispose());
        return new LoadResult([.. times.SelectMany(t => t).Order()], seconds);
    }

    private static List<double> One(Socket socket, long started, TimeSpan time)
    {
        var frame = new byte[Frame];
        (frame[0], frame[1]) = (0x82, 0x80 | Payload); // final, binary; masked with zeros, which changes nothing
        var buffer = new byte[Echo];
        var times = new List<double>(200_000);
        while (TimeProvider.System.GetElapsedTime(started) < time)
        {
            var begun = TimeProvider.System.GetTimestamp();
            socket.Send(frame);
            Receive(socket, buffer.AsSpan(0, 2));
            if (buffer[0] == 0x89)
            {
                // A ping of the edge's own has no payload; the echo follows.
                Receive(socket, buffer.AsSpan(0, buffer[1] & 0x7F));
                Receive(socket, buffer.AsSpan(0, 2));
            }

            Receive(socket, buffer.AsSpan(2, Payload));
            times.Add(TimeProvider.System.GetElapsedTime(begun).TotalMicroseconds);
        }

        return times;
    }

    private static void Receive(Socket socket, Span<byte> into)
    {
        while (into.Length > 0)
        {
            var more = socket.Receive(into);
            into = more > 0 ? into[more..] : throw new InvalidDataException("the WebSocket ended");
        }
    }
}
