using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>What sort of answer a request wants.</summary>
internal static class RequestKinds
{
    /// <summary>
    /// Asks for a WebSocket: by the Upgrade header, whether or not the rest of the handshake is right (authorisation is the same for a
    /// broken one), or by an extended CONNECT (RFC 8441). Other protocols are never switched to; their Upgrade header is ignored, as RFC
    /// 9110 allows.
    /// </summary>
    public static bool IsUpgrade(HttpContext context) =>
        AsksForWebSocket(context.Request.Headers)
        || HttpMethods.IsConnect(context.Request.Method) && context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect == true;

    /// <summary>The same of HTTP/1.1 alone, where it is the Upgrade header that says so.</summary>
    public static bool AsksForWebSocket(IHeaderDictionary headers) =>
        headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A browser that goes to a page: GET or HEAD, no upgrade, and none of the signs of a script's request (X-Requested-With, fetch
    /// metadata of anything but a top-level document, an Accept without HTML). Anything else gets 401 rather than a redirect it cannot
    /// follow.
    /// </summary>
    public static bool IsNavigation(HttpContext context) =>
        (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) && !IsUpgrade(context)
            && WantsHtml(context);

    /// <summary>Whether the answer is shown to a person as a page: a navigation, or a form that was posted.</summary>
    public static bool WantsHtml(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.XRequestedWith.Count > 0
            || (headers["Sec-Fetch-Mode"] is { Count: > 0 } mode && mode != "navigate")
            || (headers["Sec-Fetch-Dest"] is { Count: > 0 } destination && destination != "document"))
        {
            return false;
        }

        var accept = headers.Accept.ToString();
        return accept.Length == 0
            || accept.Contains("text/html", StringComparison.OrdinalIgnoreCase)
            || accept.Contains("application/xhtml+xml", StringComparison.OrdinalIgnoreCase)
            || (accept.Contains("*/*", StringComparison.Ordinal) && !accept.Contains("json", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A method that promises to change nothing.</summary>
    public static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);
}
