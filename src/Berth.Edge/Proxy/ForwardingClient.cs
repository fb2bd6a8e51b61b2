using System.Net;
using System.Net.Sockets;

namespace Berth.Edge;

/// <summary>The one HTTP client to workspaces: it changes nothing, follows nothing, remembers nothing.</summary>
internal sealed class ForwardingClient : IDisposable
{
    /// <summary>Makes the client.</summary>
    public ForwardingClient(EdgeSettings settings, Circuits circuits) => Invoker = new HttpMessageInvoker(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = settings.Proxy.ConnectTimeout,

        // The span of the request goes on as it is (EdgeTraces.Propagate); the handler's own, which nobody exports, would stand between.
        ActivityHeadersPropagator = null,

        // 64 KiB: twice what we take from clients, since applications set many cookies at once; a bound all the same.
        MaxResponseHeadersLength = 64,

        // A pod's address may be another pod's a minute later.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),

        // Each request and each WebSocket takes one connection: whoever was admitted has one, and no fault of ours can take more.
        MaxConnectionsPerServer =
            settings.Limits is { RequestsPerWorkspace: > 0 and var requests, WebSocketsPerWorkspace: > 0 and var sockets }
                ? requests + sockets : int.MaxValue,
        ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, circuits, cancellationToken),
    });

    /// <summary>For IHttpForwarder.</summary>
    public HttpMessageInvoker Invoker { get; }

    /// <inheritdoc/>
    public void Dispose() => Invoker.Dispose();

    // What the handler does by itself, and the circuit breaker told of it: here alone failures to connect are known for sure.
    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint address, Circuits circuits, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            socket.Dispose();
            if (error is SocketException or OperationCanceledException)
            {
                circuits.Failed(address);
            }

            throw;
        }

        circuits.Connected(address);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
