namespace Berth.Edge;

/// <summary>
/// Counts and times every request of the public listener under the name of the way it took; never under a host, a path or a person.
/// </summary>
internal sealed class RequestMetrics(RequestDelegate next, EdgeMetrics metrics, TimeProvider clock)
{
    /// <summary>Passes the request on and notes how it ended.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var start = clock.GetTimestamp();
        try
        {
            await next(context).ConfigureAwait(false);
            Note(context, context.Response.StatusCode, start);
        }
        catch
        {
            // A stream that was cut, or a failure that the server answers with 500 when nothing has been sent.
            Note(context, context.Response.HasStarted ? context.Response.StatusCode : 500, start);
            throw;
        }
    }

    /// <summary>
    /// The way a request took: workspace, workspace-pages, forward-auth, api, proxy, sign-in, assets, pages, unknown-host, refused.
    /// </summary>
    internal static string RouteOf(HttpContext context)
    {
        if (context.Features.Get<ForwardAuthVerdict>() is not null)
        {
            return "forward-auth";
        }

        return context.Features.Get<CanonicalRequest>() switch
        {
            null => "refused",
            { HostKind: HostKind.Unknown } => "unknown-host",
            { HostKind: HostKind.Workspace } => context.Features.Get<WorkspaceAccess>() is null ? "workspace-pages" : "workspace",
            { HostKind: HostKind.SharedWorkspaces } => "workspace-pages",
            { Path: var path } => OwnRoute(path),
        };
    }

    private static string OwnRoute(string path) =>
        path.StartsWith("/api/", StringComparison.Ordinal) || path == "/openapi/v1.json" ? "api"
        : path.StartsWith("/auth/", StringComparison.Ordinal) || path is "/login" or "/logout" ? "sign-in"
        : UpstreamPaths.IsProxy(path) ? "proxy"
        : path.StartsWith("/assets/", StringComparison.Ordinal) ? "assets"
        : "pages";

    private static bool IsStream(HttpContext context) => context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || context.Features.Get<CanonicalRequest>()?.IsUpgrade == true
        || context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;

    private void Note(HttpContext context, int status, long start) =>
        metrics.Answered(RouteOf(context), status, IsStream(context) ? null : clock.GetElapsedTime(start));
}
