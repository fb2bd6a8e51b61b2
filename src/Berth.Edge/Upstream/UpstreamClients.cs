using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Berth.Edge;

/// <summary>One HTTP client for each API: it follows nothing, remembers nothing and tells nothing of our traces.</summary>
internal sealed partial class UpstreamClients(ILogger<UpstreamClients> logger) : IDisposable
{
    // The metadata services of clouds that are not link-local; a name that was made to lead there would hand out the machine's identity.
    private static readonly IPAddress[] Metadata = [IPAddress.Parse("fd00:ec2::254"), IPAddress.Parse("100.100.100.200")];

    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _clients = new(StringComparer.Ordinal);

    /// <summary>The client of a connection.</summary>
    public HttpMessageInvoker For(UpstreamSettings settings) =>
        _clients.GetOrAdd(settings.Connection, static (_, a) => a.Owner.Make(a.Settings), (Owner: this, Settings: settings));

    /// <summary>
    /// Whether an address can be an API's: no link-local, metadata, multicast or unspecified one, and this machine only where the
    /// configuration names it. Private networks may be: many APIs are there, and the name is the configuration's.
    /// </summary>
    internal static bool IsAllowed(IPAddress address, bool loopback)
    {
        var ip = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (IPAddress.IsLoopback(ip))
        {
            return loopback;
        }

        if (ip.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return !ip.IsIPv6LinkLocal && !ip.IsIPv6Multicast && !ip.Equals(IPAddress.IPv6Any) && !Metadata.Contains(ip);
        }

        var bytes = ip.GetAddressBytes();
        return bytes[0] is not 0 and < 224 && (bytes[0], bytes[1]) is not (169, 254) && !Metadata.Contains(ip);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }
    }

    private HttpMessageInvoker Make(UpstreamSettings settings) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = settings.ConnectTimeout,
        EnableMultipleHttp2Connections = true,
        ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
        MaxResponseHeadersLength = 64,

        // Names of APIs move; a connection that is used all day would never notice.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectCallback = (context, cancellationToken) => ConnectAsync(settings, context.DnsEndPoint, cancellationToken),
    });

    private async ValueTask<Stream> ConnectAsync(UpstreamSettings settings, DnsEndPoint target, CancellationToken cancellationToken)
    {
        var all = await Dns.GetHostAddressesAsync(target.Host, cancellationToken).ConfigureAwait(false);
        var allowed = Array.FindAll(all, a => IsAllowed(a, settings.IsLoopback));
        if (allowed.Length == 0)
        {
            LogAddressRefused(settings.Connection, target.Host);
            throw new HttpRequestException(HttpRequestError.ConnectionError, "The name leads to no address that may be connected to.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, target.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LoggerMessage(5602, LogLevel.Warning,
        "Connection {Connection}: {Host} leads only to addresses that are never an API's (link-local, metadata, this machine).")]
    private partial void LogAddressRefused(string connection, string host);
}
