namespace Berth.Edge;

/// <summary>Holds requests back until the picture of the workspaces is complete: before that every workspace would look deleted.</summary>
internal sealed class StartupGate(RequestDelegate next, WorkspaceWatch watch, IEdgePages pages, TimeProvider clock)
{
    // A person rather waits a moment than reads an error; readiness keeps other traffic away meanwhile.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Lets the request through once the edge can answer it.</summary>
    public Task InvokeAsync(HttpContext context) => watch.IsSynced ? next(context) : WaitAsync(context);

    private async Task WaitAsync(HttpContext context)
    {
        try
        {
            using var limit = new CancellationTokenSource(Patience, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
            await watch.WaitForSyncAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (!context.RequestAborted.IsCancellationRequested)
            {
                context.Response.Headers.RetryAfter = "5";
                await pages.WriteAsync(context, new EdgeMessage
                {
                    Status = 503,
                    Reason = "starting-up",
                    Title = "One moment, please",
                    Detail = "The service has just been started and is getting ready. Workspaces that run go on running. Try again in a "
                        + "few seconds.",
                }).ConfigureAwait(false);
            }

            return;
        }

        await next(context).ConfigureAwait(false);
    }
}
