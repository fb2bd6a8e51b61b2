using System.Net;
using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

// What a proxy asks about: the request it describes in its headers is read by the same rules.
internal sealed partial class CanonicalRequestParser
{
    /// <summary>
    /// Whether this is a proxy's question rather than a request: a path of the endpoint under a name that is neither the public origin
    /// nor a workspace (the Service's name, an address). Under those two the path belongs to whoever is served there.
    /// </summary>
    public bool IsForwardAuth(HttpContext context) =>
        ForwardAuthTarget(context) is not null && context.Request.Headers.Host is { Count: 1 } given
            && HostOf(given.ToString()) is { } host && Classify(host) == HostKind.Unknown;

    /// <summary>
    /// Parses the request that a trusted proxy asks about, and makes the context look like it: its method, and Upgrade where it is one.
    /// </summary>
    /// <remarks>
    /// Only X-Forwarded-Method, -Proto, -Host, -Uri and -For are read, once each. Proxies drop Upgrade from their question, so a WebSocket
    /// is known by any of: X-Forwarded-Proto ws or wss, a Sec-WebSocket- header, fetch metadata that says so.
    /// </remarks>
    public (CanonicalRequest? Request, string? Refusal) ParseForwardAuth(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (HeaderRefusal(headers) is { } badHeader)
        {
            return (null, badHeader);
        }

        if (!HasOne(headers, "X-Forwarded-Method", out var method) || !HasOne(headers, "X-Forwarded-Proto", out var proto)
            || !HasOne(headers, "X-Forwarded-Host", out _) || !HasOne(headers, "X-Forwarded-Uri", out var target))
        {
            return (null, "The proxy has to send X-Forwarded-Method, X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Uri, once each.");
        }

        if (method.Length > 32 || !method.All(char.IsAsciiLetterUpper) || HttpMethods.IsConnect(method) || HttpMethods.IsTrace(method))
        {
            return (null, "X-Forwarded-Method is not a method that is served.");
        }

        if (headers.ContainsKey("HTTP2-Settings"))
        {
            // h2c: after the switch the proxy would ask about nothing any more.
            return (null, "Protocols are not switched to HTTP/2 within a connection.");
        }

        var scheme = "";
        var hostText = "";
        IsFromTrustedProxy(context, out var client);
        if (!ReadForwarded(headers, ref scheme, ref hostText, ref client, out var refusal))
        {
            return (null, refusal);
        }

        if (HostOf(hostText) is not { } host)
        {
            return (null, "X-Forwarded-Host is not a host name.");
        }

        var kind = Classify(host);
        if (kind == HostKind.Workspace && ForwardAuthTarget(context) != $"/{host[..host.IndexOf('.')]}")
        {
            return (null, "The proxy has to ask at /auth/forward/ and the name of the workspace whose host it asks about.");
        }

        var mark = target.IndexOf('?');
        var query = mark < 0 ? "" : target[mark..];
        if (CanonicalPath.Make(mark < 0 ? target : target[..mark], PathStrictness.Workspace) is not { } path
            || !CanonicalPath.IsQuery(query))
        {
            return (null,
                "X-Forwarded-Uri can be read in more than one way (encoded separators, dot segments, or characters that must be escaped).");
        }

        context.Request.Method = method;
        if (IsWebSocket(headers, proto))
        {
            headers.Upgrade = "websocket";
        }

        return (new CanonicalRequest
        {
            Scheme = scheme,
            Host = host,
            HostKind = kind,
            Path = path,
            Query = query == "?" ? "" : query,
            ClientAddress = client,
            IsUpgrade = RequestKinds.IsUpgrade(context),
            IsNavigation = RequestKinds.IsNavigation(context),
        }, null);
    }

    // What stands behind the endpoint's path: empty, or a slash and more; null for other paths.
    private static string? ForwardAuthTarget(HttpContext context) =>
        context.Features.Get<IHttpRequestFeature>()?.RawTarget is { } target
            && target.StartsWith(ForwardAuthEndpoint.Path, StringComparison.Ordinal)
            && target[ForwardAuthEndpoint.Path.Length..] is "" or ['/', ..]
            ? target[ForwardAuthEndpoint.Path.Length..]
            : null;

    private static bool HasOne(IHeaderDictionary headers, string name, out string value)
    {
        value = headers[name].ToString();
        return headers[name].Count == 1 && value.Length > 0;
    }

    private static bool IsWebSocket(IHeaderDictionary headers, string proto) =>
        proto.ToLowerInvariant() is "ws" or "wss" || headers["Sec-Fetch-Mode"] == "websocket" || headers["Sec-Fetch-Dest"] == "websocket"
        || headers.Any(h => h.Key.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase));
}
