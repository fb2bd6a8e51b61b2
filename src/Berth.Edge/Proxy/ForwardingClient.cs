using System.Diagnostics;
using System.Net;
using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>The one HTTP client to workspaces: it changes nothing, follows nothing, remembers nothing.</summary>
internal sealed class ForwardingClient : IDisposable
{
    /// <summary>Makes the client.</summary>
    public ForwardingClient(EdgeSettings settings) => Invoker = new HttpMessageInvoker(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = settings.Proxy.ConnectTimeout,
        ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),

        // 64 KiB: twice what we take from clients, since applications set many cookies at once; a bound all the same.
        MaxResponseHeadersLength = 64,

        // A pod's address may be another pod's a minute later.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
    });

    /// <summary>For IHttpForwarder.</summary>
    public HttpMessageInvoker Invoker { get; }

    /// <inheritdoc/>
    public void Dispose() => Invoker.Dispose();
}
