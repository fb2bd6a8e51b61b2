namespace Berth.Edge;

/// <summary>
/// The loop behind every page that is kept up to date: waits for a change, renders, sends what is new, gives signs of life.
/// </summary>
/// <remarks>
/// Each event is the whole state, so a client that comes back after a loss, to any replica, is up to date with the first one. The stream
/// ends with what allows it (session, token, share), when the edge ends, or when the page has nothing more to wait for.
/// </remarks>
internal sealed class LiveStream(
    WorkspaceTable table, OpenConnections connections, BodyBytes bytes, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    /// <summary>Serves the stream.</summary>
    /// <param name="context">The request, allowed already.</param>
    /// <param name="caller">Who.</param>
    /// <param name="selects">Which workspaces' changes matter.</param>
    /// <param name="render">Name and data of the event for the state as it is now, and whether it is the last.</param>
    /// <param name="access">The workspace it is about, where it is about one.</param>
    public async Task RunAsync(
        HttpContext context, Caller caller, Func<string, bool> selects, Func<LiveEvent> render, WorkspaceAccess? access = null)
    {
        var stream = new ServerSentEvents(context, bytes);
        using var open = connections.Add(caller, caller.ExpiresAt, access, AccessRequest.Page);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, lifetime.ApplicationStopping, open.Token);
        using var subscription = table.Subscribe(selects);
        string? sent = null;
        try
        {
            await stream.StartAsync().ConfigureAwait(false);
            while (!ending.IsCancellationRequested)
            {
                if (!await subscription.WaitAsync(ServerSentEvents.Heartbeat, clock, ending.Token).ConfigureAwait(false))
                {
                    await stream.BeatAsync().ConfigureAwait(false);
                    continue;
                }

                var now = render();
                if (now.Data != sent || now.IsLast)
                {
                    await stream.SendAsync(now.Name, now.Data).ConfigureAwait(false);
                    sent = now.Data;
                }

                if (now.IsLast)
                {
                    return;
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // The client went away, or is sent away: it comes back by itself.
        }
    }
}

/// <summary>An event of a live page.</summary>
internal readonly record struct LiveEvent(string Name, string Data, bool IsLast = false);
