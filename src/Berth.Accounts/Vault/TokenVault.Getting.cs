namespace Berth.Accounts;

/// <content>Access tokens: from memory, else by a flight.</content>
public sealed partial class TokenVault
{
    private const string NotFoundDetail = "There is no such token, or it is not yours.";

    /// <inheritdoc/>
    public async Task<AccessTokenResult> GetAccessTokenAsync(
        Guid tokenId, PersonKey caller, AccessTokenRequest request, CancellationToken cancellationToken)
    {
        var result = await GetAnyAsync(tokenId, caller, request, cancellationToken).ConfigureAwait(false);

        // What renews a session is for nobody to fetch.
        return VaultConnection.IsSessionName(result.Connection)
            ? new AccessTokenResult { Outcome = AccessTokenOutcome.NotFound, Detail = NotFoundDetail } : result;
    }

    private async Task<AccessTokenResult> GetAnyAsync(
        Guid tokenId, PersonKey caller, AccessTokenRequest request, CancellationToken cancellationToken)
    {
        if (Refusal(caller) is { } refusal)
        {
            return refusal;
        }

        // :: Step 1. From memory, as long as news arrives.
        var known = _cache.Find(tokenId);
        if (known is not null && _listener.IsCurrent)
        {
            if (known.Owner != caller)
            {
                return Count(new() { Outcome = AccessTokenOutcome.NotFound, Detail = NotFoundDetail }, "memory");
            }

            if (Satisfies(known, request))
            {
                return Count(Granted(known, cached: true), "memory");
            }
        }

        // :: Step 2. A flight, and one more when the joined one was made for less.
        var spent = known is not null && known.Owner == caller && _listener.IsCurrent ? known.Version : (long?)null;
        for (var attempt = 0; ; attempt++)
        {
            var (flight, joined) = _flights.Join(
                tokenId, caller, request.ForceRefresh, token => _runner.RunAsync(tokenId, caller, request, spent, token));
            var result = await flight.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (result.Token is not null && joined && attempt == 0 && !Satisfies(result.Token, request))
            {
                spent = result.Token.Version;
                continue;
            }

            return Finish(result, known, caller, request, joined);
        }
    }

    /// <inheritdoc/>
    public async Task<AccessTokenResult> GetAccessTokenAsync(
        PersonKey caller, string connection, AccessTokenRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (Refusal(caller) is { } refusal)
        {
            return refusal;
        }

        try
        {
            var id = _cache.Find(caller, connection);
            if (id is null || !_listener.IsCurrent)
            {
                var at = _clock.GetTimestamp();
                id = (await _store.FindAsync(caller, connection, cancellationToken).ConfigureAwait(false))?.Id;
                if (id is null)
                {
                    return Count(
                        new() { Outcome = AccessTokenOutcome.NotFound, Connection = connection, Detail = "No consent was given yet." },
                        "row");
                }

                _cache.Put(caller, connection, id.Value, at);
            }

            return await GetAccessTokenAsync(id.Value, caller, request, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException)
        {
            // What is in memory serves while the database is away.
            return _cache.Find(caller, connection) is { } last
                ? await GetAccessTokenAsync(last, caller, request, cancellationToken).ConfigureAwait(false)
                : Count(
                    new()
                    {
                        Outcome = AccessTokenOutcome.VaultUnavailable,
                        Connection = connection,
                        Detail = "The vault's database cannot be reached.",
                        RetryAfter = TimeSpan.FromSeconds(5),
                    },
                    "none");
        }
    }

    private AccessTokenResult? Refusal(PersonKey caller) => !_started
        ? Count(
            new()
            {
                Outcome = AccessTokenOutcome.VaultUnavailable,
                Detail = "The vault is starting.",
                RetryAfter = TimeSpan.FromSeconds(2),
            },
            "none")
        : IsName(caller) ? null : Count(new() { Outcome = AccessTokenOutcome.NotFound, Detail = NotFoundDetail }, "none");

    private bool Satisfies(CachedToken token, AccessTokenRequest request)
    {
        if (request.ForceRefresh && token.Age(_clock) >= _options.ForcedRefreshInterval
            && (request.Rejected == 0 || token.Version <= request.Rejected))
        {
            return false;
        }

        return token.Remaining(_clock) > RefreshMachine.Needed(token.Lifetime, request.MinimumLifetime);
    }

    private AccessTokenResult Finish(FlightResult result, CachedToken? known, PersonKey caller, AccessTokenRequest request, bool joined)
    {
        if (result.Token is { } token)
        {
            return Count(Granted(token, cached: joined || !result.Refreshed), result.Refreshed ? "refresh" : "row");
        }

        // The database is away: what is in memory goes on until it expires.
        if (result.Outcome == AccessTokenOutcome.VaultUnavailable && known is not null && known.Owner == caller && !request.ForceRefresh
            && known.Remaining(_clock) > TimeSpan.FromSeconds(1) && _cache.Find(known.Id) is not null)
        {
            return Count(Granted(known, cached: true), "memory");
        }

        return Count(
            new AccessTokenResult
            {
                Outcome = result.Outcome,
                Cause = result.Cause,
                Connection = result.Connection,
                Detail = result.Detail,
                RetryAfter = result.RetryAfter,
            },
            "row");
    }

    private AccessTokenResult Granted(CachedToken token, bool cached) => new()
    {
        Outcome = AccessTokenOutcome.Granted,
        Connection = token.Connection,
        Token = new VaultAccessToken(
            token.Id, _cache.Open(token), token.TokenType, token.Scope, token.Remaining(_clock), token.Version, cached),
    };

    private AccessTokenResult Count(AccessTokenResult result, string source)
    {
        _metrics.Requested(result.Outcome, source);
        return result;
    }

    private async Task KeepAliveAsync(VaultRow row, CancellationToken cancellationToken)
    {
        var request = new AccessTokenRequest { ForceRefresh = true, Rejected = row.Version };
        await GetAccessTokenAsync(row.Id, row.Owner, request, cancellationToken).ConfigureAwait(false);
    }
}
