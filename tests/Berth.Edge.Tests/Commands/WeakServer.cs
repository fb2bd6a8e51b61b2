using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Berth.Edge.Tests.Commands;

/// <summary>
/// Stands before the real edge and passes bytes on as they are, but for what one check sends: that it answers itself, as somebody who is
/// weak
/// there would.
/// </summary>
internal sealed class WeakServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly (int Edge, string Mark, Func<string, string?> Answer) _weak;
    private readonly Task _running;

    /// <param name="edge">Port of the edge.</param>
    /// <param name="check">The check.</param>
    /// <param name="answer">What is answered to a request of that check; null has the edge answer.</param>
    public WeakServer(int edge, string check, Func<string, string?> answer)
    {
        _weak = (edge, $"Berth-Selfcheck: {check}\r\n", answer);
        _listener.Start();
        _running = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _running;
        _end.Dispose();
    }

    private async Task RunAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (OperationCanceledException)
        {
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            var buffer = new byte[256 * 1024];
            var stream = client.GetStream();
            var read = await stream.ReadAsync(buffer, _end.Token);
            var text = Encoding.Latin1.GetString(buffer, 0, read);
            if (text.Contains(_weak.Mark, StringComparison.Ordinal) && _weak.Answer(text) is { } answer)
            {
                await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), _end.Token);
                client.Client.Shutdown(SocketShutdown.Send);

                // To the end, or what is unread would reset the connection before the answer was.
                while (await stream.ReadAsync(buffer, _end.Token) > 0)
                {
                }

                return;
            }

            using var edge = new TcpClient();
            await edge.ConnectAsync(IPAddress.Loopback, _weak.Edge, _end.Token);
            await edge.GetStream().WriteAsync(buffer.AsMemory(0, read), _end.Token);
            await Task.WhenAny(stream.CopyToAsync(edge.GetStream(), _end.Token), edge.GetStream().CopyToAsync(stream, _end.Token));
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
        }
    }
}
