using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>Ports for programs that have to be told theirs before they start.</summary>
public static class LoopbackPort
{
    // Below what Linux gives to connections (from 32768): else any connection made until the program listens may take it.
    // Below what clusters give to services of kind NodePort (from 30000).
    private const int First = 15000;
    private const int End = 30000;

    /// <summary>A port where nothing listens; no connection will take it, another call of this may (1 in 15,000).</summary>
    public static int Free() => Free(1)[0];

    /// <summary>Different such ports.</summary>
    public static int[] Free(int count)
    {
        var held = new List<TcpListener>();
        try
        {
            while (held.Count < count)
            {
                if (Hold(Random.Shared.Next(First, End)) is { } listener)
                {
                    held.Add(listener);
                }
            }

            return [.. held.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            held.ForEach(l => l.Dispose());
        }
    }

    private static TcpListener? Hold(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            listener.Dispose();
            return null;
        }
    }
}
