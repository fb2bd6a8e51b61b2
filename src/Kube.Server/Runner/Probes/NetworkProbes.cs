using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Kube.Server.Runner.Probes;

/// <summary>httpGet and tcpSocket probes.</summary>
internal sealed class NetworkProbes : IDisposable
{
#pragma warning disable CA5359 // A probe asks whether a program answers, not who it is: probes do not check certificates.
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        // As a kubelet: a connection per probe, so that a success means that one can connect; certificates are not checked.
        PooledConnectionLifetime = TimeSpan.Zero,
        AutomaticDecompression = DecompressionMethods.None,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
    });
#pragma warning restore CA5359

    public async Task<ProbeOutcome> HttpAsync(JsonObject get, int port, CancellationToken cancellationToken)
    {
        var scheme = get.Text("scheme") == "HTTPS" ? "https" : "http";
        var path = get.Text("path") is { Length: > 0 } given ? given : "/";
        var host = get.Text("host") is { Length: > 0 } declared ? declared : "127.0.0.1";
        if (!Uri.TryCreate($"{scheme}://{host}:{port}{(path.StartsWith('/') ? "" : "/")}{path}", UriKind.Absolute, out var uri))
        {
            return new ProbeOutcome(false, $"HTTP probe failed: {host}{path} is not a valid address");
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.33");
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        foreach (var header in get.Objects("httpHeaders"))
        {
            var name = header.Text("name") ?? "";
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase))
            {
                request.Headers.Host = header.Text("value");
            }
            else if (name.Length > 0)
            {
                request.Headers.Remove(name);
                request.Headers.TryAddWithoutValidation(name, header.Text("value") ?? "");
            }
        }

        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var status = (int)response.StatusCode;
            // A redirect counts as a success, as it does for a kubelet that will not follow it elsewhere.
            return status is >= 200 and < 400 ? new ProbeOutcome(true, "")
                : new ProbeOutcome(false, $"HTTP probe failed with statuscode: {status}");
        }
        catch (HttpRequestException error)
        {
            return new ProbeOutcome(false, $"Get \"{uri}\": {error.Message}");
        }
    }

    public static async Task<ProbeOutcome> TcpAsync(JsonObject tcp, int port, CancellationToken cancellationToken)
    {
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await client.ConnectAsync(tcp.Text("host") is { Length: > 0 } host ? host : "127.0.0.1", port, cancellationToken);
            return new ProbeOutcome(true, "");
        }
        catch (SocketException error)
        {
            return new ProbeOutcome(false, $"dial tcp 127.0.0.1:{port}: {error.Message}");
        }
    }

    public void Dispose() => _http.Dispose();
}
