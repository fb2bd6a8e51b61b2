using Berth.Studio.Identity;

namespace Berth.Studio.Hosting;

/// <summary>
/// Keeps other web pages from using a person's browser against their workspace. Workspaces are neighbours under one domain, hence
/// same-site to each other: SameSite cookies do not separate them, this does.
/// </summary>
/// <remarks>
/// The API answers only to requests of its own page (Sec-Fetch-Site, Origin); those that change something need a header that a foreign page
/// cannot send without asking (CORS preflight), and a WebSocket needs an Origin, because no preflight protects it.
/// </remarks>
internal sealed class SameOriginMiddleware(RequestDelegate next, StudioOptions options)
{
    /// <summary>The header that requests which change something must carry, with any value.</summary>
    public const string RequestHeader = "X-Studio-Request";

    /// <summary>Checks requests to the API.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
        {
            return next(context);
        }

        var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site is not ("" or "same-origin") && !(site == "none" && reads))
        {
            throw Refused("The browser says that another site made this request.");
        }

        var origin = request.Headers.Origin.ToString();
        var own = options.Origin ?? context.Features.Get<WorkspaceIdentity>()?.Origin ?? $"{request.Scheme}://{request.Host}";
        if (origin.Length > 0 && !string.Equals(origin, own, StringComparison.OrdinalIgnoreCase))
        {
            throw Refused("The request was made by a page of another origin.");
        }

        if (origin.Length == 0 && context.WebSockets.IsWebSocketRequest)
        {
            throw Refused("A WebSocket must say which origin opens it.");
        }

        if (!reads && !request.Headers.ContainsKey(RequestHeader))
        {
            throw Refused($"The header {RequestHeader} is missing.");
        }

        return next(context);
    }

    private static ProblemException Refused(string why) =>
        new(
            403,
            "cross-origin",
            why,
            "Nothing was changed.",
            $"Use the workspace's own page. A program that calls this API sends the header {RequestHeader}: 1, "
                + "and for a WebSocket the workspace's origin."
        );
}
