namespace Berth.Edge;

/// <summary>The shared host of path-prefix mode outside of the workspaces' folders: nothing is served there.</summary>
internal static class SharedHost
{
    /// <summary>Leads to where somebody who came by hand wanted to go, or says that there is nothing.</summary>
    public static Task AnswerAsync(HttpContext context, CanonicalRequest request, EdgeSettings settings, IEdgePages pages)
    {
        if (RequestKinds.IsSafe(context.Request.Method) && !request.IsUpgrade)
        {
            if (WorkspaceFolder.TrySplit(request.Path, out _, out _))
            {
                // A folder without its slash; in the folder the request would be the workspace's. Made of a valid name, it cannot lead
                // elsewhere.
                context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
                context.Response.Headers.Location = request.Path + "/" + request.Query;
                context.Response.Headers.CacheControl = "no-store";
                return Task.CompletedTask;
            }

            if (request.Path == "/")
            {
                context.Response.Redirect(settings.PublicOrigin + "/");
                return Task.CompletedTask;
            }
        }

        return pages.WriteAsync(context, EdgeMessages.NotFound());
    }
}
