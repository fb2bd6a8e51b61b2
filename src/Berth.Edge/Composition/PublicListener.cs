using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Berth.Edge;

/// <summary>Has a server listen as the options say.</summary>
/// <remarks>
/// <code>
/// Port, without certificate   HTTP/1.1                      in clear, two protocols on one port cannot be told apart (no ALPN)
/// Port, with certificate      HTTP/1.1 and HTTP/2 by ALPN   TLS 1.2 and 1.3
/// Http2Port                   HTTP/2 with prior knowledge   in clear, for an ingress that speaks h2c
/// </code>
/// </remarks>
internal static class PublicListener
{
    /// <summary>Adds the listeners.</summary>
    public static void Listen(KestrelServerOptions kestrel, ListenerOptions options, TimeProvider clock)
    {
        var address = IPAddress.Parse(options.Address);
        kestrel.Listen(address, options.Port, listener =>
        {
            if (options.CertificateFile is null)
            {
                listener.Protocols = HttpProtocols.Http1;
                return;
            }

            var log = kestrel.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger<CertificateFiles>();
            var certificate = new CertificateFiles(options.CertificateFile, options.KeyFile!, clock, log);
            kestrel.ApplicationServices.GetService<HealthMetrics>()?.Observe(certificate);
            listener.Protocols = HttpProtocols.Http1AndHttp2;
            listener.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current() }),
            });
        });
        if (options.Http2Port is { } port)
        {
            kestrel.Listen(address, port, listener => listener.Protocols = HttpProtocols.Http2);
        }
    }
}
