using System.Net;
using System.Net.Sockets;

namespace Kube.Server.Runner.Ports;

/// <summary>Chooses free loopback ports, no two pods the same.</summary>
internal sealed class PortAllocator
{
    private readonly Lock _gate = new();
    private readonly HashSet<int> _taken = [];

    /// <summary>A free port; <paramref name="wanted"/> when that is free.</summary>
    /// <exception cref="IOException">There is none.</exception>
    public int Take(int wanted = 0)
    {
        lock (_gate)
        {
            if (wanted > 0 && !_taken.Contains(wanted) && TryBind(wanted) > 0)
            {
                _taken.Add(wanted);
                return wanted;
            }

            for (var attempt = 0; attempt < 100; attempt++)
            {
                if (TryBind(0) is > 0 and var port && _taken.Add(port))
                {
                    return port;
                }
            }
        }

        throw new IOException("no free loopback port was found");
    }

    public void Give(int port)
    {
        lock (_gate)
        {
            _taken.Remove(port);
        }
    }

    /// <summary>Nothing listens there now.</summary>
    public static bool IsFree(int port) => TryBind(port) > 0;

    private static int TryBind(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        catch (SocketException)
        {
            return -1;
        }
    }
}
