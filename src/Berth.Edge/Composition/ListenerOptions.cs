using System.Net;

namespace Berth.Edge;

/// <summary>The public listener of the program: section <c>Berth:Edge:Listener</c>. In-process composition brings its own.</summary>
public sealed record ListenerOptions
{
    /// <summary>Address to listen on. The default is 0.0.0.0: in a pod everything comes from outside; TLS ends at the ingress.</summary>
    public string Address { get; init; } = "0.0.0.0";

    /// <summary>Port. The default is 8080.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>
    /// PEM file with the certificate, its chain after it: <see cref="Port"/> then speaks TLS, HTTP/1.1 and HTTP/2. Read again when it
    /// changes. The default is none: TLS ends at the ingress.
    /// </summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with the certificate's private key, not encrypted.</summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// One more port, for HTTP/2 in clear with prior knowledge (h2c), where the ingress speaks it to the edge. The default is none: a port
    /// in clear can serve one protocol only.
    /// </summary>
    public int? Http2Port { get; init; }

    /// <summary>Adds a sentence to <paramref name="problems"/> for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        if (!IPAddress.TryParse(Address, out _))
        {
            problems.Add($"Berth:Edge:Listener:Address is '{Address}': give an IP address.");
        }

        if (Port is < 0 or > 65535)
        {
            problems.Add($"Berth:Edge:Listener:Port is {Port}: give a port from 0 to 65535.");
        }

        if (Http2Port is < 0 or > 65535 || (Http2Port == Port && Port != 0))
        {
            problems.Add($"Berth:Edge:Listener:Http2Port is {Http2Port}: give a port from 0 to 65535 other than Port.");
        }

        if (CertificateFile is null != KeyFile is null)
        {
            problems.Add($"Berth:Edge:Listener:{(KeyFile is null ? "KeyFile" : "CertificateFile")} is missing: a certificate and its key "
                + "are given together, or neither.");
        }
    }
}
