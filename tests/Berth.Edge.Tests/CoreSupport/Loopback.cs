using System.Net;
using System.Net.Sockets;

namespace Berth.Edge.Tests;

/// <summary>Ways to this machine.</summary>
internal static class Loopback
{
    /// <summary>A handler that connects names below localhost and test to a port, and anything else to where it says.</summary>
    public static SocketsHttpHandler Handler(int port) => new()
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectCallback = async (context, cancellationToken) =>
        {
            var host = context.DnsEndPoint.Host;
            var isOurs = host.EndsWith("localhost", StringComparison.Ordinal) || host.EndsWith(".test", StringComparison.Ordinal);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, isOurs ? port : context.DnsEndPoint.Port, cancellationToken);
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            return new NetworkStream(socket, ownsSocket: true);
        },
    };
}
