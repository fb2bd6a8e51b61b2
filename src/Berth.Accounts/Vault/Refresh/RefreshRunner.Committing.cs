namespace Berth.Accounts;

/// <content>From the provider's answer into the row, whatever the database does meanwhile.</content>
internal sealed partial class RefreshRunner
{
    private async Task<FlightResult?> CommitAsync(
        VaultRow row, VaultConnection connection, VaultLease lease, Secret oldRefreshToken, TokenAnswer answer, long received)
    {
        var given = connection.IsOfSessions ? answer.IdToken : answer.AccessToken;
        var lifetime = connection.IsOfSessions
            ? connection.DefaultTokenLifetime : RefreshMachine.Lifetime(answer.ExpiresIn, given, connection, clock.GetUtcNow());
        var next = row with
        {
            Version = row.Version + 1,
            AccessLifetime = lifetime,
            TokenType = answer.TokenType,
            SinceRefresh = TimeSpan.Zero
        };
        var tokens = sealer.Seal(next, answer.RefreshToken ?? oldRefreshToken, given) with
        {
            AccessLifetime = given is null ? null : lifetime,
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
        if (given is null)
        {
            return new FlightResult(AccessTokenOutcome.ProviderError)
            {
                Connection = row.Connection,
                Detail = $"The provider answered without an {Kind(connection)}.",
                RetryAfter = backOffs.Fail(row.Id, null, $"it answered without an {Kind(connection)}", complain: true),
            };
        }

        var token = Cached(next, given, lifetime, received);
        cache.Put(token);
        return new FlightResult(AccessTokenOutcome.Granted) { Token = token, Refreshed = true, Connection = row.Connection };
    }

    private static string Kind(VaultConnection connection) => connection.IsOfSessions ? "ID token" : "access token";

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
}
