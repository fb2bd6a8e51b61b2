using System.Net;
using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>Makes the <see cref="CanonicalRequest"/>, or says in a few words why there is none.</summary>
internal sealed partial class CanonicalRequestParser(EdgeSettings settings)
{
    /// <summary>Parses a request that nothing has changed yet.</summary>
    /// <returns>The canonical request and no refusal, or a refusal.</returns>
    public (CanonicalRequest? Request, string? Refusal) Parse(HttpContext context)
    {
        var request = context.Request;
        var headers = request.Headers;
        if (HeaderRefusal(headers) is { } badHeader)
        {
            return (null, badHeader);
        }

        var trusted = IsFromTrustedProxy(context, out var peer);
        var hostText = request.Headers.Host.Count == 1 ? headers.Host.ToString() : "";
        var scheme = request.IsHttps ? "https" : "http";
        var client = peer;
        if (trusted)
        {
            if (!ReadForwarded(headers, ref scheme, ref hostText, ref client, out var refusal))
            {
                return (null, refusal);
            }
        }

        if (HostOf(hostText) is not { } host)
        {
            return (null, "The Host header is missing, given twice, or not a host name.");
        }

        var kind = Classify(host);
        if (!SplitTarget(context, hostText, out var rawPath, out var query))
        {
            return (null, "The request target is not a path on this host.");
        }

        var path = CanonicalPath.Make(
            rawPath, kind is HostKind.Workspace or HostKind.SharedWorkspaces ? PathStrictness.Workspace : PathStrictness.Strict);
        if (path is null || !CanonicalPath.IsQuery(query))
        {
            return (null,
                "The path can be read in more than one way (encoded separators, dot segments, or characters that must be escaped).");
        }

        var canonical = new CanonicalRequest
        {
            Scheme = scheme,
            Host = host,
            HostKind = kind,
            Path = path,
            Query = query == "?" ? "" : query,
            ClientAddress = client,
            IsUpgrade = RequestKinds.IsUpgrade(context),
            IsNavigation = RequestKinds.IsNavigation(context),
        };
        return kind == HostKind.SharedWorkspaces ? WorkspaceFolder.Enter(canonical, rawPath) : (canonical, null);
    }

    /// <summary>Whether the connection comes from a proxy of the configuration.</summary>
    public bool IsFromTrustedProxy(HttpContext context, out IPAddress peer)
    {
        peer = Unmapped(context.Connection.RemoteIpAddress ?? IPAddress.None);
        return IsTrusted(peer);
    }

    private static string? HeaderRefusal(IHeaderDictionary headers)
    {
        foreach (var (name, _) in headers)
        {
            if (ProtectedHeaders.IsDisguised(name) || IsDisguisedFraming(name))
            {
                return "A header name imitates a reserved one with an underscore or dot.";
            }
        }

        // Kestrel renames a Content-Length that came with a Transfer-Encoding; whoever sends both means somebody to read the other one.
        if (headers.TransferEncoding.Count > 0 && (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length")))
        {
            return "Content-Length and Transfer-Encoding contradict each other.";
        }

        // Others are read in as many ways as there are servers, and nobody sends them.
        if (headers.TransferEncoding.Count > 0
            && !(headers.TransferEncoding.Count == 1
                && headers.TransferEncoding.ToString().Equals("chunked", StringComparison.OrdinalIgnoreCase)))
        {
            return "Transfer-Encoding has to be chunked, once.";
        }

        if (RequestKinds.AsksForWebSocket(headers) && (headers.TransferEncoding.Count > 0 || headers.ContentLength > 0))
        {
            return "A WebSocket handshake has no body.";
        }

        return ProtectedHeaders.IsNominated(headers.Connection) ? "The Connection header names a header that must not be dropped." : null;
    }

    private static bool IsDisguisedFraming(string name) => name.Equals("Content_Length", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Transfer_Encoding", StringComparison.OrdinalIgnoreCase);

    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static string? HostOf(string text)
    {
        var (host, port) = SplitPort(text);
        return port is null || (port.Length is > 0 and <= 5 && port.All(char.IsAsciiDigit)) ? HostNames.Canonicalise(host) : null;
    }

    private static (string Host, string? Port) SplitPort(string text)
    {
        var bracket = text.LastIndexOf(']');
        var colon = text.LastIndexOf(':');
        return colon > bracket ? (text[..colon], text[(colon + 1)..]) : (text, null);
    }

    private static bool SplitTarget(HttpContext context, string hostText, out string path, out string query)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (target.Length > 0 && target[0] != '/')
        {
            // Absolute form (RFC 9112, 3.2.2): allowed only when it names the same host as the Host header, so that nobody reads another
            // one.
            var prefix = $"{context.Request.Scheme}://{hostText}/";
            target = target.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? target[(prefix.Length - 1)..] : "";
        }

        var mark = target.IndexOf('?');
        path = mark < 0 ? target : target[..mark];
        query = mark < 0 ? "" : target[mark..];
        return path.Length > 0;
    }

    private HostKind Classify(string host)
    {
        if (host == settings.EdgeHost)
        {
            return HostKind.Edge;
        }

        if (settings.IsPathPrefix)
        {
            return host == settings.WorkspaceDomain ? HostKind.SharedWorkspaces : HostKind.Unknown;
        }

        return HostNames.IsOneLabelBelow(host, settings.WorkspaceDomain, out _) ? HostKind.Workspace : HostKind.Unknown;
    }

    private bool IsTrusted(IPAddress address)
    {
        foreach (var network in settings.TrustedProxies)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private bool ReadForwarded(IHeaderDictionary headers, ref string scheme, ref string host, ref IPAddress client, out string refusal)
    {
        refusal = "An X-Forwarded header of the proxy cannot be read.";
        var proto = headers["X-Forwarded-Proto"];
        var forwardedHost = headers["X-Forwarded-Host"];
        if (proto.Count > 1 || forwardedHost.Count > 1)
        {
            return false;
        }

        if (proto.Count == 1)
        {
            var value = proto.ToString().ToLowerInvariant();
            scheme = value switch { "ws" => "http", "wss" => "https", _ => value };
            if (scheme is not ("http" or "https"))
            {
                return false;
            }
        }

        host = forwardedHost.Count == 1 ? forwardedHost.ToString() : host;
        return ReadClient(headers["X-Forwarded-For"].ToString(), ref client);
    }

    // From the right: each hop that is a trusted proxy vouches for the one before it; the first that is not is the client.
    private bool ReadClient(string forwardedFor, ref IPAddress client)
    {
        var hops = forwardedFor.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        for (var i = hops.Length - 1; i >= 0; i--)
        {
            if (!IPAddress.TryParse(hops[i], out var address))
            {
                return false;
            }

            client = Unmapped(address);
            if (!IsTrusted(client))
            {
                return true;
            }
        }

        return true;
    }
}
