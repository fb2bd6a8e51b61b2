using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kube.Client;

namespace Berth.Operator.Preflight;

/// <summary>The real network.</summary>
internal sealed class PreflightNetwork : IPreflightNetwork, IDisposable
{
    // Key sets and discovery documents are a few kilobytes.
    private const int LargestBody = 256 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient _world = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectCallback = ConnectAsync })
    {
        Timeout = Patience,
    };
    private readonly HttpClient _cluster;

    public PreflightNetwork(KubeConfig config)
    {
        var trust = new SslClientAuthenticationOptions { TargetHost = config.TlsServerName ?? config.Server.Host };
        if (config.CertificateAuthorityPem is { } pem)
        {
            var policy =
                new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPem(pem);
            trust.CertificateChainPolicy = policy;
        }

        _cluster = new(new SocketsHttpHandler { SslOptions = trust }) { Timeout = Patience };
    }

    public async Task<IReadOnlyList<string>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return [.. (await Dns.GetHostAddressesAsync(host, cancellationToken)).Select(a => a.ToString()).Order(StringComparer.Ordinal)];
        }
        catch (SocketException)
        {
            return [];
        }
    }

    public async Task<PreflightAnswer> GetAsync(Uri address, bool ofCluster, CancellationToken cancellationToken)
    {
        using var answer = await (ofCluster ? _cluster : _world)
            .GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LargestBody];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return new PreflightAnswer((int)answer.StatusCode, Encoding.UTF8.GetString(buffer, 0, length), answer.Headers.Date);
    }

    // RFC 6761: names under localhost are this machine, whether or not its resolver knows them. Browsers hold to it, so providers for
    // trying out are there.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            var local = context.DnsEndPoint.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
            await socket.ConnectAsync(
                local ? new DnsEndPoint("localhost", context.DnsEndPoint.Port) : context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _world.Dispose();
        _cluster.Dispose();
    }
}
