using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Has the store remove what is over, now and then; with several replicas one of them does it.</summary>
internal sealed partial class UpkeepService(IAccountStore accounts, DatabaseOptions options, TimeProvider clock,
    ILogger<UpkeepService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Replicas that start together should not all come at once; what is removed can wait.
        var first = Interval * (0.5 + (Random.Shared.NextDouble() / 2));
        await Task.Delay(first, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using var timer = new PeriodicTimer(Interval, clock);
        while (!stoppingToken.IsCancellationRequested)
        {
            await RoundAsync(stoppingToken).ConfigureAwait(false);
            try
            {
                await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            var done = await accounts.Upkeep.RunAsync(
                new UpkeepOptions
                {
                    KeepSessions = options.KeepSessions,
                    KeepAudit = options.KeepAudit,
                    KeepHistory = options.KeepHistory
                },
                cancellationToken).ConfigureAwait(false);
            if (done != default && !done.WasBusy)
            {
                LogDone(done.Sessions, done.Revocations, done.AuditEvents, done.History, done.Tokens);
            }
        }
        catch (AccountsUnavailableException error)
        {
            LogFailed(error.Message);
        }
        catch (InvalidOperationException error)
        {
            // The database's own minimum for audit events is longer than KeepAudit.
            LogFailed(error.Message);
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            LogBroken(error);
        }
    }

    [LoggerMessage(5530, LogLevel.Information,
        "Removed {Sessions} sessions, {Revocations} revocations, {Events} audit events, {History} rows of history and {Tokens} personal "
            + "tokens that were over.")]
    private partial void LogDone(long sessions, long revocations, long events, long history, long tokens);

    [LoggerMessage(5531, LogLevel.Warning, "What is over could not be removed this time: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(5532, LogLevel.Error, "What is over cannot be removed.")]
    private partial void LogBroken(Exception error);
}
