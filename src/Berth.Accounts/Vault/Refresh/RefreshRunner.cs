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

/// <summary>Carries out what <see cref="RefreshMachine"/> decides. Holds no database connection while it waits or asks the provider.</summary>
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
    public async Task<FlightResult> RunAsync(Guid id, PersonKey caller, AccessTokenRequest request, CancellationToken cancellationToken)
    {
        long firstVersion = -1;
        while (true)
        {
            if (_committing.ContainsKey(id))
            {
                // The new token is here, the database is not: asking the provider with the old one would end both.
                return Unavailable("A new token waits for the database; try again soon.");
            }

            var read = clock.GetTimestamp();
            var row = await store.ReadAsync(id, cancellationToken).ConfigureAwait(false);
            firstVersion = firstVersion < 0 ? row?.Version ?? 0 : firstVersion;
            var connection = row is null ? null : connections.GetValueOrDefault(row.Connection);
            var step = RefreshMachine.Next(row, caller, request, firstVersion, connection, options.ForcedRefreshInterval);
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

            if (backOffs.Find(id) is { } wait)
            {
                return Failed(row!, read, request, wait.Complain, wait.Detail, wait.Remaining);
            }

            var lease = await store.TryLeaseAsync(id, row!.Version, options.Lease, cancellationToken).ConfigureAwait(false);
            if (lease is not null && await AskAsync(row, connection!, lease, read, request).ConfigureAwait(false) is { } result)
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
            Audit(row, "vault.refresh", answer.Kind == TokenAnswerKind.Tokens ? "allowed" : "failed");
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

    private async Task<FlightResult?> CommitAsync(
        VaultRow row, VaultConnection connection, VaultLease lease, Secret oldRefreshToken, TokenAnswer answer, long received)
    {
        var lifetime = RefreshMachine.Lifetime(answer.ExpiresIn, answer.AccessToken, connection, clock.GetUtcNow());
        var next = row with
        {
            Version = row.Version + 1,
            AccessLifetime = lifetime,
            TokenType = answer.TokenType,
            SinceRefresh = TimeSpan.Zero
        };
        var tokens = sealer.Seal(next, answer.RefreshToken ?? oldRefreshToken, answer.AccessToken) with
        {
            AccessLifetime = answer.AccessToken is null ? null : lifetime,
            ProviderSessionId = answer.SessionId,
        };
        var committed = await TryCommitAsync(row, lease, tokens, lifetime, received).ConfigureAwait(false);
        if (committed is null)
        {
            // It goes on in the background until the database takes it; the token is given to nobody before that.
            var kept = answer.RefreshToken is null ? null : new Secret(answer.RefreshToken.Bytes);
            _committing[row.Id] = CommitLaterAsync(row, lease, tokens, lifetime, received, kept);
            return Unavailable("A new token waits for the database; try again soon.");
        }

        if (committed == false)
        {
            await LateAsync(row, answer.RefreshToken).ConfigureAwait(false);
            return null;
        }

        backOffs.Clear(row.Id);
        cache.Learn(row.Id, next.Version, live: true);
        if (answer.AccessToken is null)
        {
            return new FlightResult(AccessTokenOutcome.ProviderError)
            {
                Connection = row.Connection,
                Detail = "The provider answered without an access token.",
                RetryAfter = backOffs.Fail(row.Id, null, "it answered without an access token", complain: true),
            };
        }

        var token = Cached(next, answer.AccessToken, lifetime, received);
        cache.Put(token);
        return new FlightResult(AccessTokenOutcome.Granted) { Token = token, Refreshed = true, Connection = row.Connection };
    }

    // True: committed. False: the row has gone on without us. Null: the database is away.
    private async Task<bool?> TryCommitAsync(VaultRow row, VaultLease lease, SealedTokens tokens, TimeSpan lifetime, long received)
    {
        try
        {
            // What was lost on the way comes off here, by our own monotonic clock; the database adds the rest to its own.
            var dated = tokens.AccessToken is null ? tokens : tokens with { AccessRemaining = lifetime - clock.GetElapsedTime(received) };
            return await store.CommitAsync(row.Id, row.Version, lease.Id, dated, CancellationToken.None).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException error)
        {
            LogNotCommitted(row.Id, error.Message);
            return null;
        }
    }

    private async Task CommitLaterAsync(
        VaultRow row, VaultLease lease, SealedTokens tokens, TimeSpan lifetime, long received, Secret? newRefreshToken)
    {
        using var forget = newRefreshToken;
        try
        {
            bool? committed = null;
            var wait = TimeSpan.FromMilliseconds(200);
            while (committed is null)
            {
                await Task.Delay(wait, clock, CancellationToken.None).ConfigureAwait(false);
                wait = wait * 2 < DatabaseRetry ? wait * 2 : DatabaseRetry;
                committed = await TryCommitAsync(row, lease, tokens, lifetime, received).ConfigureAwait(false);
            }

            if (committed == false)
            {
                await LateAsync(row, newRefreshToken).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            LogCommitLost(row.Id, error);
        }
        finally
        {
            _committing.TryRemove(row.Id, out _);
        }
    }

    // Our answer came too late. A sibling's newer token is of the same grant, and must live; after a revocation nothing may.
    private async Task LateAsync(VaultRow row, Secret? newRefreshToken)
    {
        try
        {
            var now = await store.ReadAsync(row.Id, CancellationToken.None).ConfigureAwait(false);
            if (newRefreshToken is not null && now is null or { State: StoredTokenState.Revoked })
            {
                LogLate(row.Id);
                await store.QueueRevocationAsync(sealer.ForOutbox(row, newRefreshToken!), sealer.KeyId, CancellationToken.None)
                    .ConfigureAwait(false);
            }
        }
        catch (AccountsUnavailableException error)
        {
            LogLateLost(row.Id, error.Message);
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

    private FlightResult Serve(VaultRow row, long read)
    {
        var error = sealer.TryOpen(row.AccessToken!, row.Context(SealedKind.Access), out var token);
        using (token)
        {
            if (error != EnvelopeError.None)
            {
                LogUnreadable(row.Id, error);
                return error == EnvelopeError.UnknownKey
                    ? Unavailable("The token is sealed with a key that this replica does not have.")
                    : NeedsConsent(row, ReconsentCause.Unreadable);
            }

            var cached = Cached(row, token, row.AccessRemaining!.Value, read);
            cache.Put(cached);
            return new FlightResult(AccessTokenOutcome.Granted) { Token = cached, Connection = row.Connection };
        }
    }

    // A token that lasts yet is better than none, unless it is the one that does not work.
    private FlightResult Failed(
        VaultRow row, long read, AccessTokenRequest request, bool complain, string detail, TimeSpan wait)
    {
        if (!request.ForceRefresh && row is { AccessToken: not null, AccessRemaining: { } left } && left > TimeSpan.FromSeconds(1))
        {
            return Serve(row, read);
        }

        return new FlightResult(complain ? AccessTokenOutcome.ProviderError : AccessTokenOutcome.ProviderUnavailable)
        {
            Connection = row.Connection,
            RetryAfter = wait,
            Detail = complain ? $"The provider refuses the request ({detail})." : $"The provider does not answer as it should ({detail}).",
        };
    }

    private CachedToken Cached(VaultRow row, Secret token, TimeSpan remaining, long at) => new()
    {
        Id = row.Id,
        Owner = row.Owner,
        Connection = row.Connection,
        TokenType = row.TokenType,
        Scope = row.Scope,
        Version = row.Version,
        Lifetime = row.AccessLifetime,
        At = at,
        RemainingAt = remaining,
        AgeAt = row.SinceRefresh,
        Sealed = cache.Seal(token.Bytes, row.Id, row.Owner, row.Version),
    };

    private void Audit(VaultRow row, string action, string outcome) => audit(new AuditEvent
    {
        At = clock.GetUtcNow(),
        Actor = row.Owner,
        Action = action,
        Target = $"tokens/{row.Id} {row.Connection}",
        Outcome = outcome,
    });

    private static FlightResult NeedsConsent(VaultRow row, ReconsentCause cause) => new(AccessTokenOutcome.NeedsConsent)
    {
        Connection = row.Connection,
        Cause = cause,
        Detail = cause switch
        {
            ReconsentCause.Refused => "The provider does not accept the stored token any more: consent was withdrawn, or it has expired.",
            ReconsentCause.RotationLost => "The provider has replaced the stored token, and the new one was lost on the way.",
            ReconsentCause.Interrupted => "Two attempts to refresh the token were cut off.",
            ReconsentCause.ConnectionChanged => "The connection is configured with another provider or client than the token was made for.",
            _ => "What is stored cannot be read as this token.",
        },
    };

    private static FlightResult Unavailable(string detail) =>
        new(AccessTokenOutcome.VaultUnavailable) { Detail = detail, RetryAfter = DatabaseRetry };

    [LoggerMessage(4050, LogLevel.Warning, "Connection {Connection}: token {Token} was not refreshed: {Kind} {Detail}")]
    private partial void LogRefreshFailed(string connection, Guid token, TokenAnswerKind kind, string detail);

    [LoggerMessage(4051, LogLevel.Warning, "Connection {Connection}: token {Token} has ended ({Cause}); its owner has to consent anew.")]
    private partial void LogEnded(string connection, Guid token, ReconsentCause cause);

    [LoggerMessage(4052, LogLevel.Error, "What is stored of token {Token} does not open ({Error}): it was changed, or its key is missing.")]
    private partial void LogUnreadable(Guid token, EnvelopeError error);

    [LoggerMessage(4053, LogLevel.Error, "The new token of {Token} is not committed yet and nobody gets it before: {Reason}")]
    private partial void LogNotCommitted(Guid token, string reason);

    [LoggerMessage(4056, LogLevel.Error, "The database refuses the new token of {Token}; it is lost, and its owner will have to consent anew.")]
    private partial void LogCommitLost(Guid token, Exception error);

    [LoggerMessage(4054, LogLevel.Information, "Token {Token} was revoked while it was refreshed; the new one is revoked as well.")]
    private partial void LogLate(Guid token);

    [LoggerMessage(4055, LogLevel.Error, "A token of {Token} that came too late could not be queued for revocation: {Reason}")]
    private partial void LogLateLost(Guid token, string reason);
}
