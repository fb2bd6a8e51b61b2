using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Authenticates personal access tokens.</summary>
/// <remarks>
/// <code>
/// checksum wrong -> refused, nobody is asked
/// remembered (by SHA-256, never the token), for 30 s -> what the store said
/// else one question per token, whoever waits for it; at most 64 at a time
///   there is none -> remembered for 10 s
///   the database does not answer -> <see cref="TokenError.Unverifiable"/>, not remembered
/// and each time, from memory: revoked? expired? person disabled?
/// </code>
/// Revocations arrive at once, as notices; the 30 s bound what is missed when they do not (and what changes in a row without one).
/// </remarks>
internal sealed partial class PersonalTokenAuthenticator(
    IAccountStore accounts, EdgeSettings settings, PersonalTokenOptions options, AuditTrail audit, CurrentRequest current,
        TimeProvider clock,
    ILogger<PersonalTokenAuthenticator> logger)
{
    // Made-up tokens with a good checksum cost the database one look-up each; so many at once, and no more.
    private const int MostFlights = 64;

    private static readonly TimeSpan Life = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan NegativeLife = TimeSpan.FromSeconds(10);
    private readonly TokenCache<Known> _known = new(10_000);

    // Apart, so that made-up tokens drive no good one out.
    private readonly TokenCache<Known> _unknown = new(1000);
    private readonly OneTimeIds _audited = new(clock, TimeSpan.FromDays(1), 10_000);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<Known?>> _flights = new(StringComparer.Ordinal);

    /// <summary>Authenticates a token.</summary>
    /// <param name="token">A text that claims to be one (<see cref="PersonalTokenSecret.Claims"/>).</param>
    /// <param name="cancellationToken">Ends the wait of this caller; the question goes on for the others.</param>
    /// <returns>The caller, or why there is none.</returns>
    public async ValueTask<(Caller? Caller, TokenError Error)> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        if (!PersonalTokenSecret.IsWellFormed(token))
        {
            return (null, TokenError.Malformed);
        }

        if (!options.Enabled)
        {
            return (null, TokenError.NoSuchToken);
        }

        var hash = PersonalTokenSecret.Hash(token);
        var known = await FindAsync(hash, cancellationToken).ConfigureAwait(false);
        if (known is null)
        {
            return (null, TokenError.Unverifiable);
        }

        var now = clock.GetUtcNow();
        return known.Token is not { } found || accounts.Revocations.IsTokenRevoked(found.Id) ? (null, TokenError.NoSuchToken)
            : found.StateAt(now) switch
            {
                PersonalTokenState.Active => (Use(known, found, now), TokenError.None),
                PersonalTokenState.Expired => (null, TokenError.Time),
                PersonalTokenState.Disabled => (null, TokenError.PersonDisabled),
                _ => (null, TokenError.NoSuchToken),
            };
    }

    /// <summary>Whether a token was found good within the last 30 s and still is; nobody is asked.</summary>
    public bool Remembers(string token) => options.Enabled && PersonalTokenSecret.IsWellFormed(token)
        && Fresh(_known, Convert.ToHexString(PersonalTokenSecret.Hash(token)), Life)?.Token is { } found
        && found.StateAt(clock.GetUtcNow()) == PersonalTokenState.Active && !accounts.Revocations.IsTokenRevoked(found.Id);

    private Caller Use(Known known, PersonalToken token, DateTimeOffset now)
    {
        // Once an hour here; the store sees to it that it is once for all replicas.
        if (!(known.UsedAt > now - PersonalTokenRules.UseInterval))
        {
            known.UsedAt = now;
            accounts.PersonalTokens.Touch(token.Id, now);
        }

        // Administrators by a claim are known only while they sign in, so a token speaks for those that configuration names.
        var person = token.Person;
        var caller = new Caller
        {
            Kind = CallerKind.Bearer,
            Issuer = person.Issuer,
            Subject = person.Subject,
            Email = token.PersonEmail,
            Name = token.PersonName,
            IsAdministrator = token.Scopes.Contains(TokenScopes.Admin)
                && settings.Administrators.Contains((person.Issuer, person.Subject))

                // Such a token says nothing of how its person signed in.
                && settings.StepUpOf(person.Issuer) is null,
            PersonalToken = token.Id,
            TokenId = token.Id.ToString(),
            Scopes = [.. token.Scopes],
            ExpiresAt = token.ExpiresAt,
        };
        var address = current.Context?.State().Canonical?.ClientAddress.ToString() ?? "unknown";
        if (_audited.TryUse($"{token.Id} {address}"))
        {
            audit.Record(caller, "token.use", $"personal-tokens/{token.Id} from {address}", "allowed");
        }

        return caller;
    }

    private Known? Fresh(TokenCache<Known> cache, string key, TimeSpan life) =>
        cache.Find(key) is { } known && clock.GetElapsedTime(known.At) < life ? known : null;

    private async ValueTask<Known?> FindAsync(byte[] hash, CancellationToken cancellationToken)
    {
        var key = Convert.ToHexString(hash);
        if ((Fresh(_known, key, Life) ?? Fresh(_unknown, key, NegativeLife)) is { } known)
        {
            return known;
        }

        Task<Known?>? flight;
        lock (_gate)
        {
            if (!_flights.TryGetValue(key, out flight))
            {
                if (_flights.Count >= MostFlights)
                {
                    return null;
                }

                // Begins on another thread: nothing of it runs under the lock.
                flight = _flights[key] = Task.Run(() => AskAsync(hash, key), CancellationToken.None);
            }
        }

        return await flight.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<Known?> AskAsync(byte[] hash, string key)
    {
        try
        {
            // The store has a time limit of its own.
            var found = await accounts.PersonalTokens.FindAsync(hash, CancellationToken.None).ConfigureAwait(false);

            // A look-up may have begun before the revocation that is known by now: what is remembered is asked about again each time.
            var known = new Known(found, clock.GetTimestamp()) { UsedAt = found?.LastUsedAt };
            (found is null ? _unknown : _known).Add(key, known);
            return known;
        }
        catch (AccountsUnavailableException error)
        {
            LogUnavailable(error.Message);
            return null;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        finally
        {
            lock (_gate)
            {
                _flights.Remove(key);
            }
        }
    }

    [LoggerMessage(5701, LogLevel.Warning, "A personal access token cannot be looked up now: {Reason}")]
    private partial void LogUnavailable(string reason);

    private sealed record Known(PersonalToken? Token, long At)
    {
        public DateTimeOffset? UsedAt { get; set; }
    }
}
