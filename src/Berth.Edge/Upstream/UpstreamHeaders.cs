using System.Collections.Frozen;
using System.Net.Http.Headers;

namespace Berth.Edge;

/// <summary>Which headers do not pass, in either direction. What is not named here passes: APIs have headers of their own.</summary>
internal static class UpstreamHeaders
{
    /// <summary>
    /// Nothing that comes from an API is a page of ours: no script runs, nothing is framed, and it has an origin of its own even when
    /// somebody opens it.
    /// </summary>
    public const string ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

    // Who called us, and from where; ways to call for another method or host than was decided on; what belongs to one hop.
    private static readonly FrozenSet<string> Up = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Authorization", "Proxy-Authorization", "Proxy-Connection", "Cookie", "Cookie2", "DPoP", "Origin", "Referer", "Baggage",
        "Correlation-Context", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "Expect", "Max-Forwards", "Via", "Upgrade",
        "HTTP2-Settings", "X-ARR-ClientCert", "X-Client-Cert", "Client-Cert", "Client-Cert-Chain");

    private static readonly string[] UpFamilies = ["Sec-", "Access-Control-", "X-SSL-", "X-Client-Cert-", "SSL-Client-"];

    // Credentials, and words by which an answer would govern the edge's own origin.
    private static readonly FrozenSet<string> Down = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Proxy-Authorization", "Authentication-Info",
        "Proxy-Authentication-Info", "Set-Cookie", "Set-Cookie2", "Cookie", "Content-Security-Policy",
        "Content-Security-Policy-Report-Only", "X-Frame-Options", "Clear-Site-Data", "Alt-Svc", "Strict-Transport-Security",
        "Public-Key-Pins", "Public-Key-Pins-Report-Only", "Expect-CT", "NEL", "Report-To", "Reporting-Endpoints", "Refresh",
        "Service-Worker-Allowed", "SourceMap", "X-SourceMap", "Origin-Agent-Cluster", "Referrer-Policy", "Permissions-Policy",
        "Document-Policy", "Speculation-Rules", "Timing-Allow-Origin", "Server", "Via", "X-XSS-Protection", "X-Accel-Redirect",
        "X-Sendfile", UpstreamCors.AnswerHeader);

    private static readonly string[] DownFamilies = ["Access-Control-", "Cross-Origin-", "X-Accel-"];

    /// <summary>Takes out of a request what must not reach an API.</summary>
    public static void StripRequest(HttpRequestHeaders headers, string tokenHeader)
    {
        foreach (var name in headers.NonValidated.Select(h => h.Key).Where(n => StaysHere(n, tokenHeader)).ToList())
        {
            headers.Remove(name);
        }
    }

    /// <summary>Takes out of an answer what must not reach a caller, and everything that holds the token.</summary>
    public static void StripAnswer(IHeaderDictionary headers, string tokenHeader, string token)
    {
        List<string>? doomed = null;
        foreach (var (name, values) in headers)
        {
            if (Down.Contains(name) || StartsWithAny(name, DownFamilies) || name.Equals(tokenHeader, StringComparison.OrdinalIgnoreCase)
                || ProtectedHeaders.IsProtected(name) || values.Any(v => v?.Contains(token, StringComparison.Ordinal) == true))
            {
                (doomed ??= []).Add(name);
            }
        }

        foreach (var name in doomed ?? [])
        {
            headers.Remove(name);
        }
    }

    /// <summary>What a cache may do with an answer: those of one person are never for others, whatever the API says.</summary>
    public static string CacheControl(string stated)
    {
        if (stated.Length == 0)
        {
            return "no-store";
        }

        var kept = stated.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(d => !d.Equals("public", StringComparison.OrdinalIgnoreCase)
                && !d.StartsWith("private", StringComparison.OrdinalIgnoreCase)
                && !d.StartsWith("s-maxage", StringComparison.OrdinalIgnoreCase)
                && !d.Equals("proxy-revalidate", StringComparison.OrdinalIgnoreCase));
        return string.Join(", ", kept.Prepend("private"));
    }

    private static bool StaysHere(string name, string tokenHeader) => Up.Contains(name) || StartsWithAny(name, UpFamilies)
        || name.Equals(tokenHeader, StringComparison.OrdinalIgnoreCase) || ProtectedHeaders.IsProtected(name)
        || IsDisguise(name, tokenHeader);

    // X_Api_Key for X-Api-Key: a server that speaks CGI would read the caller's in place of ours.
    private static bool IsDisguise(string name, string tokenHeader) => name.AsSpan().IndexOfAny('_', '.') >= 0
        && name.Replace('_', '-').Replace('.', '-').Equals(tokenHeader, StringComparison.OrdinalIgnoreCase);

    private static bool StartsWithAny(string name, string[] families) =>
        Array.Exists(families, f => name.StartsWith(f, StringComparison.OrdinalIgnoreCase));
}
