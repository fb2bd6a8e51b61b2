namespace Berth.Accounts;

/// <summary>
/// Removes what nobody needs any more. Any replica may be asked, as often as one likes: one works, the others find it busy.
/// </summary>
public interface IUpkeep
{
    /// <summary>Does one round, in bounded steps so that no lock is held for long.</summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<UpkeepOutcome> RunAsync(UpkeepOptions options, CancellationToken cancellationToken);
}

/// <summary>How long what is over is kept.</summary>
public sealed record UpkeepOptions
{
    /// <summary>
    /// Sessions that have ended, for "where was I signed in", and personal tokens that have, for "why does my program not work any more".
    /// The default is 30 days.
    /// </summary>
    public TimeSpan KeepSessions { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Audit events; null keeps all, which is the default: a law or a contract says how long, not we. The database's own minimum
    /// (<c>berth.audit_settings</c>, 90 days at first) holds whatever stands here.
    /// </summary>
    public TimeSpan? KeepAudit { get; init; }

    /// <summary>History of workspaces and usage. The default is two years: this year's and last year's bills can be explained.</summary>
    public TimeSpan KeepHistory { get; init; } = TimeSpan.FromDays(731);

    /// <summary>Rows of one statement. The default is 1,000: milliseconds each.</summary>
    public int Batch { get; init; } = 1000;

    /// <summary>Statements of one kind in one round. The default is 100: a round ends, and the next goes on where it stopped.</summary>
    public int MaximumBatches { get; init; } = 100;
}

/// <summary>What a round did.</summary>
/// <param name="WasBusy">True when another replica was at it: nothing was done here.</param>
/// <param name="Sessions">Sessions removed.</param>
/// <param name="Revocations">Revocations of sessions that have ended anyway, removed.</param>
/// <param name="AuditEvents">Audit events removed.</param>
/// <param name="History">Records and days of usage removed.</param>
/// <param name="Tokens">Personal access tokens removed.</param>
public readonly record struct UpkeepOutcome(
    bool WasBusy, long Sessions, long Revocations, long AuditEvents, long History, long Tokens = 0);
