using System.Globalization;

namespace Berth.Edge;

/// <summary>Cross-origin calls: preflights are answered here, whoever asks; other requests need an identity as well.</summary>
internal static class UpstreamCors
{
    /// <summary>Header that tells whether an answer is the API's or the edge's own.</summary>
    public const string AnswerHeader = "Berth-Answer";

    /// <summary>Whether a browser asks if it may ask.</summary>
    public static bool IsPreflight(HttpContext context) => HttpMethods.IsOptions(context.Request.Method)
        && context.Request.Headers.Origin.Count > 0 && context.Request.Headers.AccessControlRequestMethod.Count > 0;

    /// <summary>Answers a preflight; the refusal is the same for a connection that is not there and for one that is closed.</summary>
    public static ConnectionError? Preflight(HttpContext context, UpstreamSettings? settings)
    {
        var headers = context.Request.Headers;
        if (settings is null || headers.Origin.Count != 1 || !settings.CorsOrigins.Contains(headers.Origin.ToString())
            || !settings.CorsMethods.Contains(headers.AccessControlRequestMethod.ToString())
            || !HeadersAllowed(headers.AccessControlRequestHeaders.ToString(), settings))
        {
            return UpstreamErrors.OriginNotAllowed;
        }

        var answer = context.Response.Headers;
        answer.AccessControlAllowOrigin = headers.Origin;
        answer.AccessControlAllowMethods = string.Join(", ", settings.CorsMethods);
        answer.AccessControlAllowHeaders = string.Join(", ", settings.CorsHeaders);
        answer.AccessControlMaxAge = ((long)settings.CorsMaximumAge.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        answer.Vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return null;
    }

    /// <summary>The origin of another site's page that this request comes from and that may read the answer.</summary>
    /// <returns>Null and true for no such page; the origin and true for an allowed one; false for any other.</returns>
    public static bool TryReadOrigin(HttpContext context, UpstreamSettings settings, string publicOrigin, out string? origin)
    {
        origin = null;
        var stated = context.Request.Headers.Origin;
        if (stated.Count == 0 || (stated.Count == 1 && stated == publicOrigin))
        {
            return true;
        }

        if (stated.Count != 1 || !settings.CorsOrigins.Contains(stated.ToString()))
        {
            return false;
        }

        origin = stated.ToString();
        return true;
    }

    /// <summary>Lets a page read the answer. Cookies never count across origins, so credentials are never allowed.</summary>
    public static void Allow(IHeaderDictionary answer, UpstreamSettings settings, string? origin)
    {
        if (!settings.CorsOrigins.IsEmpty)
        {
            answer.Append("Vary", "Origin");
        }

        if (origin is not null)
        {
            answer.AccessControlAllowOrigin = origin;
            answer.AccessControlExposeHeaders = $"{AnswerHeader.ToLowerInvariant()}, {settings.CorsExposed}";
        }
    }

    private static bool HeadersAllowed(string asked, UpstreamSettings settings) => asked
        .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .All(h => settings.CorsHeaders.Contains(h.ToLowerInvariant()));
}
