using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Berth.Edge.Tests.Processes;

/// <summary>A workspace's process that begins its answers and waits, and can be made to die in the middle of them.</summary>
internal sealed class DyingWorkspace : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _head;
    private readonly List<Socket> _answering = [];

    /// <param name="head">Status line, headers and the first bytes of each answer.</param>
    public DyingWorkspace(string head)
    {
        _head = head;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Its connections are reset, as when a process is killed, and nothing listens any more.</summary>
    public void Die()
    {
        _listener.Stop();
        lock (_answering)
        {
            foreach (var socket in _answering)
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }

            _answering.Clear();
        }
    }

    public void Dispose() => Die();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                lock (_answering)
                {
                    _answering.Add(socket);
                }

                _ = AnswerAsync(socket);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It died.
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        try
        {
            var buffer = new byte[8192];
            if (await socket.ReceiveAsync(buffer.AsMemory()) > 0)
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes(_head));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It died.
        }
    }
}
