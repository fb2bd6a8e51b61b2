using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Berth.Edge.Tests;

/// <summary>A process that answers each request with bytes a test gives, right or wrong, and goes on with the connection as it says.</summary>
internal sealed class RawUpstream : IDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly string _answer;
    private readonly Func<NetworkStream, string, CancellationToken, Task>? _then;
    private int _connections;

    /// <param name="port">Where; 0 takes a free one.</param>
    /// <param name="answer">What follows the end of each request's headers.</param>
    /// <param name="then">Has the connection after the first answer, with the request's headers; without one, requests go on.</param>
    public RawUpstream(int port = 0, string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        Func<NetworkStream, string, CancellationToken, Task>? then = null)
    {
        (_answer, _then) = (answer, then);
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(client);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                while (await HeadersAsync(stream) is { } headers)
                {
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(_answer), _end.Token);
                    if (_then is not null)
                    {
                        await _then(stream, headers, _end.Token);
                        return;
                    }
                }
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side left.
            }
        }
    }

    private async Task<string?> HeadersAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one, _end.Token) == 1)
        {
            text.Append((char)one[0]);
            if (text.Length >= 4 && text.ToString(text.Length - 4, 4) == "\r\n\r\n")
            {
                return text.ToString();
            }
        }

        return null;
    }
}
