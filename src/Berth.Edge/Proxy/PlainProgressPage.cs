namespace Berth.Edge;

/// <summary>Says that the workspace is not ready, and has the browser ask again. Stands in until a better page is composed.</summary>
internal sealed class PlainProgressPage(IEdgePages pages) : IProgressPage
{
    /// <inheritdoc/>
    public Task ShowAsync(HttpContext context, WorkspaceAccess access)
    {
        context.Response.Headers["Refresh"] = "2";
        context.Response.Headers.RetryAfter = "2";
        return pages.WriteAsync(context, EdgeMessages.NotReady(access.Workspace));
    }

    /// <inheritdoc/>
    public Task<bool> TryHandleReservedPathAsync(HttpContext context, WorkspaceAccess access) => Task.FromResult(false);
}
