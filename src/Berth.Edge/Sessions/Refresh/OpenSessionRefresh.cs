namespace Berth.Edge;

/// <summary>
/// Looks after sessions that only have something open, such as a terminal in a window that nobody touches: without requests nothing else
/// would ask whether their person may still come in.
/// </summary>
internal sealed class OpenSessionRefresh(EdgeSettings settings, SessionRefresh refresh, TimeProvider clock) : BackgroundService
{
    // Far below the least time that claims may be renewed after.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.Issuers.All(i => i.RefreshAfter is null))
        {
            return;
        }

        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                refresh.FollowOpen();
            }
        }
        catch (OperationCanceledException)
        {
            // The program ends.
        }
    }
}
