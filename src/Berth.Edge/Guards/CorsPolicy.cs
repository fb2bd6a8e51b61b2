using System.Collections.Immutable;
using System.Globalization;

namespace Berth.Edge;

/// <summary>
/// Which pages of other origins may call, and how (Fetch standard, CORS protocol). One for the edge's API and one for each connection of
/// the API proxy; pure but for the answer it writes.
/// </summary>
/// <remarks>Credentials are never allowed: what such a page may do, it does with a token that it holds.</remarks>
internal sealed record CorsPolicy
{
    /// <summary>Nobody.</summary>
    public static CorsPolicy Closed { get; } = new();

    /// <summary>Origins, as browsers write them. The default is none.</summary>
    public ImmutableHashSet<string> Origins { get; init; } = [];

    /// <summary>Methods.</summary>
    public ImmutableSortedSet<string> Methods { get; init; } = [];

    /// <summary>Request headers, lower case.</summary>
    public ImmutableSortedSet<string> Headers { get; init; } = [];

    /// <summary>Headers of answers that may be read besides the plain ones, joined.</summary>
    public string Exposed { get; init; } = "";

    /// <summary>Life of a preflight's answer. The default is 10 minutes, what most browsers cut longer times to.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether a browser asks if it may ask.</summary>
    public static bool IsPreflight(HttpContext context) => HttpMethods.IsOptions(context.Request.Method)
        && context.Request.Headers.Origin.Count > 0 && context.Request.Headers.AccessControlRequestMethod.Count > 0;

    /// <summary>What is wrong with an origin of the configuration, with the remedy; null for nothing.</summary>
    public static string? Flaw(string text)
    {
        if (text.Contains('*', StringComparison.Ordinal))
        {
            return "has a wildcard: any page it matches could call; name each origin, such as https://app.example.com";
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.UserInfo.Length > 0
            || HostNames.Canonicalise(uri.Host) != uri.Host || uri.GetLeftPart(UriPartial.Authority) != text)
        {
            return "is no origin; write scheme, host and port as browsers send them (lower case, no path, no slash at the end), such as "
                + "https://app.example.com";
        }

        // Who sits between such a page and its reader writes the script that holds the token.
        return HostNames.IsSecureUrl(uri) ? null : "is http, which anybody on the way can change; use https (http is for loopback)";
    }

    /// <summary>Writes the answer to a preflight: 204, nothing asked of anybody.</summary>
    /// <returns>False, and nothing written, when it is refused.</returns>
    public bool TryAnswerPreflight(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.Origin.Count != 1 || !Origins.Contains(headers.Origin.ToString())
            || !Methods.Contains(headers.AccessControlRequestMethod.ToString())
            || !AreAllowed(headers.AccessControlRequestHeaders.ToString()))
        {
            return false;
        }

        var answer = context.Response.Headers;
        answer.AccessControlAllowOrigin = headers.Origin;
        answer.AccessControlAllowMethods = string.Join(", ", Methods);
        answer.AccessControlAllowHeaders = string.Join(", ", Headers);
        answer.AccessControlMaxAge = ((long)MaximumAge.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        answer.Vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    /// <summary>The origin of another site's page that this request comes from and that may read the answer.</summary>
    /// <returns>Null and true for no such page; the origin and true for an allowed one; false for any other.</returns>
    public bool TryReadOrigin(HttpContext context, string publicOrigin, out string? origin)
    {
        origin = null;
        var stated = context.Request.Headers.Origin;
        if (stated.Count == 0 || (stated.Count == 1 && stated == publicOrigin))
        {
            return true;
        }

        if (stated.Count != 1 || !Origins.Contains(stated.ToString()))
        {
            return false;
        }

        origin = stated.ToString();
        return true;
    }

    /// <summary>Lets a page read the answer; null for no page, where caches are told all the same that the answer depends on it.</summary>
    public void Allow(IHeaderDictionary answer, string? origin)
    {
        if (!Origins.IsEmpty)
        {
            answer.Append("Vary", "Origin");
        }

        if (origin is not null)
        {
            answer.AccessControlAllowOrigin = origin;
            answer.AccessControlExposeHeaders = Exposed;
        }
    }

    private bool AreAllowed(string asked) => asked
        .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .All(h => Headers.Contains(h.ToLowerInvariant()));
}
