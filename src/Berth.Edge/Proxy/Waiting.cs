using System.Collections.Concurrent;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// Holds what cannot look at a progress page (WebSockets, scripts, API clients) until a workspace that is starting is ready.
/// </summary>
/// <remarks>
/// <code>
/// starting -> a place is free -> told by the watch: ready -> forwarded
///                 |                   |-- failed, stopped, or the time is over -> 503 workspace-not-ready
///                 |                   |-- session or share ended -> 401 / 403
///                 |                   |-- this replica ends -> 503: another one takes it
///                 |                   '-- the client left: nothing
///                 '-- none is free -> 503 too-many-waiting
/// </code>
/// Nothing of the request has been sent on yet, so that any method may wait. It starts nothing: a forgotten tab that connects anew must not
/// start what nobody uses.
/// </remarks>
internal sealed class Waiting(
    EdgeSettings settings,
    IWorkspaceDirectory directory,
    OpenConnections connections,
    IEdgePages pages,
    IHostApplicationLifetime lifetime,
    TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, int> _perWorkspace = new(StringComparer.Ordinal);
    private int _all;

    private enum Outcome
    {
        Wait,
        Ready,
        NotReady,
        Withdrawn,
    }

    /// <summary>Requests that wait now.</summary>
    public int Count => Volatile.Read(ref _all);

    /// <summary>Whether the request waits for the workspace rather than being told at once that it is not ready.</summary>
    public bool IsFor(CanonicalRequest request, WorkspaceEntry workspace) =>
        !request.IsNavigation && settings.Proxy.WakeTimeout > TimeSpan.Zero && IsStarting(workspace);

    /// <summary>Waits.</summary>
    /// <returns>The access to the workspace as it is now, ready; null when the request has been answered, or its client left.</returns>
    public async Task<WorkspaceAccess?> ForAsync(
        HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until)
    {
        if (!TryEnter(access.Workspace.Host))
        {
            context.Response.Headers.RetryAfter = "5";
            await pages.WriteAsync(context, EdgeMessages.TooManyWaiting());
            return null;
        }

        try
        {
            return await WaitAsync(context, request, access, until);
        }
        finally
        {
            Leave(access.Workspace.Host);
        }
    }

    /// <summary>On its way: Running without an address is a process that is being started again.</summary>
    internal static bool IsStarting(WorkspaceEntry workspace) =>
        workspace.Phase is WorkspacePhases.Pending or WorkspacePhases.Starting or WorkspacePhases.Running;

    private async Task<WorkspaceAccess?> WaitAsync(
        HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until)
    {
        var asked = new AccessRequest(context.Request.Method, request.IsUpgrade);
        using var open = connections.Add(access.Caller, until, access, asked, isStream: false);
        using var changes = directory.Subscribe(access.Workspace.Name);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, open.Token, lifetime.ApplicationStopping);
        var start = clock.GetTimestamp();
        var entry = access.Workspace;
        try
        {
            while (!end.IsCancellationRequested)
            {
                switch (Look(request, access, asked, ref entry))
                {
                    case Outcome.Ready:
                        return access with { Workspace = entry };
                    case Outcome.NotReady:
                        await NotReadyAsync(context, entry);
                        return null;
                    case Outcome.Withdrawn:
                        await WithdrawnAsync(context, request, access, asked);
                        return null;
                    default:
                        break;
                }

                var left = settings.Proxy.WakeTimeout - clock.GetElapsedTime(start);
                if (left <= TimeSpan.Zero)
                {
                    await NotReadyAsync(context, entry);
                    return null;
                }

                await changes.WaitAsync(left, clock, end.Token);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Which of them it was is looked at below.
        }

        if (context.RequestAborted.IsCancellationRequested)
        {
            return null;
        }

        await (open.Token.IsCancellationRequested
            ? WithdrawnAsync(context, request, access, asked) : NotReadyAsync(context, entry));
        return null;
    }

    private Outcome Look(CanonicalRequest request, WorkspaceAccess access, AccessRequest asked, ref WorkspaceEntry entry)
    {
        if (!directory.TryFindByHost(request.Host, out var now) || !access.StillHolds(now, asked, clock.GetUtcNow()))
        {
            return Outcome.Withdrawn;
        }

        entry = now;
        return now.IsReady ? Outcome.Ready : IsStarting(now) ? Outcome.Wait : Outcome.NotReady;
    }

    private Task NotReadyAsync(HttpContext context, WorkspaceEntry entry)
    {
        context.Response.Headers.RetryAfter = "2";
        return pages.WriteAsync(context, EdgeMessages.NotReady(entry));
    }

    // What would be answered if the request came now.
    private Task WithdrawnAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access, AccessRequest asked)
    {
        directory.TryFindByHost(request.Host, out var now);
        var decision = Authorizer.Decide(access.Caller, now, asked, clock.GetUtcNow());
        return pages.WriteAsync(context, decision.Kind switch
        {
            AccessKind.NotFound => EdgeMessages.NoWorkspace(settings),
            AccessKind.Forbidden => EdgeMessages.Forbidden(access.Caller, decision.Explanation, settings),
            _ => EdgeMessages.SignInRequired(settings.PublicOrigin + "/login"),
        });
    }

    private bool TryEnter(string host)
    {
        var (most, mostInAll) = (settings.Proxy.WaitingPerWorkspace, settings.Proxy.WaitingInAll);
        if (Interlocked.Increment(ref _all) > mostInAll && mostInAll > 0)
        {
            Interlocked.Decrement(ref _all);
            return false;
        }

        if (_perWorkspace.AddOrUpdate(host, 1, static (_, n) => n + 1) > most && most > 0)
        {
            Leave(host);
            return false;
        }

        return true;
    }

    private void Leave(string host)
    {
        Interlocked.Decrement(ref _all);
        if (_perWorkspace.AddOrUpdate(host, 0, static (_, n) => n - 1) == 0)
        {
            // Only while it is still 0.
            _perWorkspace.TryRemove(new KeyValuePair<string, int>(host, 0));
        }
    }
}
