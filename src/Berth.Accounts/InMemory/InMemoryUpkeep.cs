namespace Berth.Accounts;

/// <summary>Upkeep of one process: sessions that are over are dropped when somebody looks; only the audit log is left to do.</summary>
internal sealed class InMemoryUpkeep(
    InMemoryAuditLog audit, Func<long> expireSessions, InMemoryPersonalTokens tokens, TimeProvider clock) : IUpkeep
{
    /// <inheritdoc/>
    public async Task<UpkeepOutcome> RunAsync(UpkeepOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var events = options.KeepAudit is { } keep
            ? await audit.ExpireAsync(clock.GetUtcNow() - keep, cancellationToken).ConfigureAwait(false) : 0;
        return new UpkeepOutcome(false, expireSessions(), 0, events, 0, tokens.Expire(clock.GetUtcNow() - options.KeepSessions));
    }
}
