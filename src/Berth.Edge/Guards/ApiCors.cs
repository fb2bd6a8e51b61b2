namespace Berth.Edge;

/// <summary>
/// Cross-origin calls of the edge's own API, <c>/api/…</c> and <c>/openapi/…</c>. Closed unless <c>Berth:Edge:Cors:Origins</c> names a
/// page; such a page brings a bearer token, never the cookie.
/// </summary>
internal sealed class ApiCors(EdgeSettings settings, IEdgePages pages)
{
    private static readonly EdgeMessage NotAllowed = new()
    {
        Status = StatusCodes.Status403Forbidden,
        Reason = "origin-not-allowed",
        Title = "Pages of this origin may not call",
        Detail = "The API is called from the service's own pages, by programs, and by pages whose origin is named in the configuration "
            + "(Cors:Origins), with the methods and headers that the API has. Nothing was changed.",
    };

    /// <summary>Whether a path is the API's.</summary>
    public static bool Covers(string path) =>
        path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/openapi/", StringComparison.Ordinal);

    /// <summary>Sees to the headers of the answer, and answers a preflight before anybody is asked who it is.</summary>
    /// <returns>True when the request has been answered.</returns>
    public async Task<bool> AnswersAsync(HttpContext context, CanonicalRequest request)
    {
        if (!Covers(request.Path))
        {
            return false;
        }

        if (CorsPolicy.IsPreflight(context))
        {
            if (!settings.Cors.TryAnswerPreflight(context))
            {
                // The same for every path, whether there is such a call or not.
                await pages.WriteAsync(context, NotAllowed);
            }

            return true;
        }

        if (!settings.Cors.Origins.IsEmpty)
        {
            settings.Cors.TryReadOrigin(context, settings.PublicOrigin, out var origin);

            // When the answer begins: an error clears what was set before it.
            context.Response.OnStarting(() =>
            {
                settings.Cors.Allow(context.Response.Headers, origin);
                return Task.CompletedTask;
            });
        }

        return false;
    }

    /// <summary>Whether the cookie of a request to the API counts: not where a page of another origin says that it asks.</summary>
    public bool IsCookieOurs(HttpContext context, CanonicalRequest request) => !Covers(request.Path)
        || context.Request.Headers.Origin is { Count: 0 } || context.Request.Headers.Origin == settings.PublicOrigin;
}
