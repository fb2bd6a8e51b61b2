using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Berth.Accounts;

/// <summary>How a flight ended: for everybody who waited for it.</summary>
internal sealed record FlightResult(AccessTokenOutcome Outcome)
{
    public CachedToken? Token { get; init; }

    public bool Refreshed { get; init; }

    public ReconsentCause Cause { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public string? Connection { get; init; }

    public string Detail { get; init; } = "";
}

/// <summary>
/// Carries out what <see cref="RefreshMachine"/> decides. Holds no database connection while it waits or asks the provider.
/// </summary>
internal sealed partial class RefreshRunner(
    VaultStore store, VaultSealer sealer, VaultCache cache, RowSignals signals, BackOffs backOffs, IVaultProvider provider,
    IReadOnlyDictionary<string, VaultConnection> connections, VaultOptions options, TimeProvider clock, Action<AuditEvent> audit,
    VaultMetrics metrics, ILogger logger)
{
    private static readonly TimeSpan DatabaseRetry = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<Guid, Task> _committing = [];

    /// <summary>Commits that the database has not taken yet.</summary>
    public IEnumerable<Task> Committing => _committing.Values;

    /// <summary>Gets a token, by whatever that takes.</summary>
    /// <param name="id">The row.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">What for.</param>
    /// <param name="spent">
    /// The row's version as far as this process knows, when its access token does not do; null when nothing is known. It saves the read:
    /// the lease is taken at once, if the row is of that version yet.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting, and nothing that was begun at the provider.</param>
    public async Task<FlightResult> RunAsync(
        Guid id, PersonKey caller, AccessTokenRequest request, long? spent, CancellationToken cancellationToken)
    {
        long firstVersion = -1;
        for (; ; spent = null)
        {
            if (_committing.ContainsKey(id))
            {
                // The new token is here, the database is not: asking the provider with the old one would end both.
                return Unavailable("A new token waits for the database; try again soon.");
            }

            var read = clock.GetTimestamp();
            var leased = spent is { } known && backOffs.Find(id) is null
                ? await store.TryLeaseAsync(id, known, options.Lease, cancellationToken).ConfigureAwait(false)
                : null;
            var row = leased?.Row ?? await store.ReadAsync(id, cancellationToken).ConfigureAwait(false);
            firstVersion = firstVersion < 0 ? row?.Version ?? 0 : firstVersion;
            var connection = row is null ? null : connections.GetValueOrDefault(row.Connection);
            var step = RefreshMachine.Next(row, caller, request, firstVersion, connection, options.ForcedRefreshInterval);
            if (leased is not null && step.Kind != RefreshStepKind.Refresh)
            {
                await ReleaseAsync(leased.Row, leased.Lease, answered: !leased.Lease.Unanswered).ConfigureAwait(false);
            }

            switch (step.Kind)
            {
                case RefreshStepKind.NotFound:
                    return new FlightResult(AccessTokenOutcome.NotFound) { Detail = "There is no such token, or it is not yours." };
                case RefreshStepKind.Revoked:
                    return new FlightResult(AccessTokenOutcome.Revoked) { Connection = row!.Connection, Detail = "The token was revoked." };
                case RefreshStepKind.NeedsConsent:
                    return NeedsConsent(row!, step.Cause);
                case RefreshStepKind.Serve:
                    return Serve(row!, read);
                case RefreshStepKind.Wait:
                    await signals.WaitAsync(id, step.Wait < options.Poll ? step.Wait + TimeSpan.FromMilliseconds(1) : options.Poll,
                        cancellationToken).ConfigureAwait(false);
                    continue;
            }

            if (leased is null && backOffs.Find(id) is { } wait)
            {
                return Failed(row!, read, request, wait.Complain, wait.Detail, wait.Remaining);
            }

            leased ??= await store.TryLeaseAsync(id, row!.Version, options.Lease, cancellationToken).ConfigureAwait(false);
            if (leased is not null && await AskAsync(leased.Row, connection!, leased.Lease, read, request).ConfigureAwait(false) is
                { } result)
            {
                return result;
            }
        }
    }

    // From here on no caller's impatience counts: what was begun at the provider has to end in the row.
    private async Task<FlightResult?> AskAsync(
        VaultRow row, VaultConnection connection, VaultLease lease, long read, AccessTokenRequest request)
    {
        if (lease.Interrupted >= RefreshMachine.MostInterruptions)
        {
            await EndAsync(row, ReconsentCause.Interrupted).ConfigureAwait(false);
            return NeedsConsent(row, ReconsentCause.Interrupted);
        }

        var error = sealer.TryOpen(row.RefreshToken ?? [], row.Context(SealedKind.Refresh), out var refreshToken);
        using (refreshToken)
        {
            if (error != EnvelopeError.None)
            {
                await ReleaseAsync(row, lease, answered: !lease.Unanswered).ConfigureAwait(false);
                LogUnreadable(row.Id, error);
                return error == EnvelopeError.UnknownKey
                    ? Unavailable("The token is sealed with a key that this replica does not have.")
                    : NeedsConsent(row, ReconsentCause.Unreadable);
            }

            var asked = clock.GetTimestamp();
            using var limit = new CancellationTokenSource(options.ProviderTimeout, clock);
            using var answer = await provider.RefreshAsync(connection, refreshToken, limit.Token).ConfigureAwait(false);
            var received = clock.GetTimestamp();
            var step = RefreshMachine.After(answer.Kind);
            metrics.Refreshed(connection.Name, answer.Kind, clock.GetElapsedTime(asked, received));
            if (!connection.IsOfSessions)
            {
                // Sessions are renewed every few minutes: what they end with is audited by whoever ends them.
                Audit(row, "vault.refresh", answer.Kind == TokenAnswerKind.Tokens ? "allowed" : "failed");
            }

            switch (step)
            {
                case AnswerStep.Commit:
                    return await CommitAsync(row, connection, lease, refreshToken, answer, received).ConfigureAwait(false);
                case AnswerStep.Reread:
                    return await EndAsync(row, RefreshMachine.CauseOfRefusal(lease)).ConfigureAwait(false)
                        ? NeedsConsent(row, RefreshMachine.CauseOfRefusal(lease))
                        : null;
                default:
                    // Nothing came of it: the mark of an earlier attempt stays, and that of this one where nobody knows what it did.
                    var done = step == AnswerStep.BackOffUnanswered || lease.Unanswered;
                    await ReleaseAsync(row, lease, answered: !done).ConfigureAwait(false);
                    LogRefreshFailed(connection.Name, row.Id, answer.Kind, answer.Detail);
                    var complain = step == AnswerStep.Complain;
                    var wait = backOffs.Fail(row.Id, answer.RetryAfter, answer.Detail, complain);
                    return Failed(row, read, request, complain, answer.Detail, wait);
            }
        }
    }

    // False when a sibling has changed the row: it won, and there is news to read.
    private async Task<bool> EndAsync(VaultRow row, ReconsentCause cause)
    {
        if (!await store.EndAsync(row.Id, row.Version, cause, CancellationToken.None).ConfigureAwait(false))
        {
            return false;
        }

        cache.Learn(row.Id, row.Version, live: false);
        backOffs.Clear(row.Id);
        LogEnded(row.Connection, row.Id, cause);
        Audit(row, "vault.end", "failed");
        return true;
    }

    private async Task ReleaseAsync(VaultRow row, VaultLease lease, bool answered)
    {
        try
        {
            await store.ReleaseAsync(row.Id, lease.Id, answered, CancellationToken.None).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException)
        {
            // It runs out by itself.
        }
    }

    [LoggerMessage(4050, LogLevel.Warning, "Connection {Connection}: token {Token} was not refreshed: {Kind} {Detail}")]
    private partial void LogRefreshFailed(string connection, Guid token, TokenAnswerKind kind, string detail);

    [LoggerMessage(4051, LogLevel.Warning, "Connection {Connection}: token {Token} has ended ({Cause}); its owner has to consent anew.")]
    private partial void LogEnded(string connection, Guid token, ReconsentCause cause);

    [LoggerMessage(4052, LogLevel.Error, "What is stored of token {Token} does not open ({Error}): it was changed, or its key is missing.")]
    private partial void LogUnreadable(Guid token, EnvelopeError error);

    [LoggerMessage(4053, LogLevel.Error, "The new token of {Token} is not committed yet and nobody gets it before: {Reason}")]
    private partial void LogNotCommitted(Guid token, string reason);

    [LoggerMessage(4056, LogLevel.Error,
        "The database refuses the new token of {Token}; it is lost, and its owner will have to consent anew.")]
    private partial void LogCommitLost(Guid token, Exception error);

    [LoggerMessage(4054, LogLevel.Information, "Token {Token} was revoked while it was refreshed; the new one is revoked as well.")]
    private partial void LogLate(Guid token);

    [LoggerMessage(4055, LogLevel.Error, "A token of {Token} that came too late could not be queued for revocation: {Reason}")]
    private partial void LogLateLost(Guid token, string reason);
}
