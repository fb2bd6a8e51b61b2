using System.Collections.Immutable;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>What people do with their tokens, whether by the API or on the page.</summary>
internal sealed class PersonalTokenService(
    IAccountStore accounts, EdgeSettings settings, PersonalTokenOptions options, AuditTrail audit, TimeProvider clock)
{
    /// <summary>Life of a token when nobody says one, in days.</summary>
    public int DefaultDays => (int)options.DefaultLifetime.TotalDays;

    /// <summary>Longest life, in days.</summary>
    public int MaximumDays => (int)options.MaximumLifetime.TotalDays;

    /// <summary>Scopes that a person may give to a token.</summary>
    public IEnumerable<(string Name, string Description)> ScopesOf(Caller caller) =>
        TokenScopes.All.Where(s => s.Name != TokenScopes.Admin || IsNamedAdministrator(caller));

    /// <summary>A person's tokens.</summary>
    public Task<IReadOnlyList<PersonalToken>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        accounts.PersonalTokens.ListAsync(Key(caller), cancellationToken);

    /// <summary>Makes a token.</summary>
    /// <returns>What is kept, and the token itself, which is nowhere after this.</returns>
    /// <exception cref="ProblemException">It cannot be made.</exception>
    public async Task<(PersonalToken Token, string Secret)> CreateAsync(
        Caller caller, string? name, IReadOnlyList<string>? scopes, int? days, CancellationToken cancellationToken)
    {
        if (!options.Enabled)
        {
            audit.Record(caller, "token.create", "personal-tokens", "refused");
            throw new ProblemException(403, "personal-tokens-off", "There are no personal access tokens here",
                "This installation does not take them (PersonalTokens:Enabled). Use an access token of your provider.");
        }

        // A token that makes tokens would outlive its own revocation.
        if (caller.Kind != CallerKind.Session)
        {
            audit.Record(caller, "token.create", "personal-tokens", "refused");
            throw new ProblemException(403, "session-required", "This needs a browser",
                $"Personal access tokens are made by people: sign in with a browser and open {TokenPages.Path}.");
        }

        Check(caller, name, scopes, days);
        var secret = PersonalTokenSecret.New();

        // To the microsecond, as the database keeps it.
        var now = new DateTimeOffset(clock.GetUtcNow().UtcTicks / 10 * 10, TimeSpan.Zero);
        var token = new NewPersonalToken
        {
            Id = Guid.CreateVersion7(now),
            Name = name!.Trim(),
            SecretHash = PersonalTokenSecret.Hash(secret),
            Scopes = [.. TokenScopes.All.Select(s => s.Name).Where(scopes!.Contains)],
            CreatedAt = now,
            ExpiresAt = now.AddDays(days ?? DefaultDays),
        };
        switch (await accounts.PersonalTokens.CreateAsync(Key(caller), token, cancellationToken).ConfigureAwait(false))
        {
            case PersonalTokenResult.TooMany:
                throw new ProblemException(409, "too-many-tokens", "You have as many tokens as you may",
                    $"A person has at most {PersonalTokenRules.MaximumLive} live personal access tokens. Revoke one you no longer need.");
            case PersonalTokenResult.NoSuchPerson:
                throw new ProblemException(409, "sign-in-again", "Your account is not known here any more", "Sign out, sign in again, and "
                    + "repeat this.");
        }

        audit.Record(caller, "token.create", $"personal-tokens/{token.Id} {string.Join(' ', token.Scopes)}", "allowed");
        return (new PersonalToken
        {
            Id = token.Id,
            Person = Key(caller),
            Name = token.Name,
            Scopes = token.Scopes,
            CreatedAt = token.CreatedAt,
            ExpiresAt = token.ExpiresAt,
        }, secret);
    }

    /// <summary>Ends a token.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public async Task RevokeAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(id, "D", out var token)
            || !await accounts.PersonalTokens.RevokeAsync(Key(caller), token, cancellationToken).ConfigureAwait(false))
        {
            throw new ProblemException(404, "token-not-found", "No such token",
                "You have no such personal access token, or it was revoked before. GET /api/me/tokens lists yours.");
        }

        audit.Record(caller, "token.revoke", $"personal-tokens/{token}", "allowed");
    }

    /// <summary>Ends all tokens of a person.</summary>
    public async Task RevokeAllAsync(Caller caller, CancellationToken cancellationToken)
    {
        var ended = await accounts.PersonalTokens.RevokeAllAsync(Key(caller), cancellationToken).ConfigureAwait(false);
        audit.Record(caller, "token.revoke-all", $"personal-tokens {ended}", "allowed");
    }

    private static PersonKey Key(Caller caller) => new(caller.Issuer, caller.Subject);

    private bool IsNamedAdministrator(Caller caller) => settings.Administrators.Contains((caller.Issuer, caller.Subject));

    private void Check(Caller caller, string? name, IReadOnlyList<string>? scopes, int? days)
    {
        var problems = ImmutableDictionary<string, string>.Empty;
        if (!PersonalTokenRules.IsName(name?.Trim()))
        {
            problems = problems.Add("name", $"give 1 to {PersonalTokenRules.MaximumName} characters that say what the token is for.");
        }

        if (scopes is not { Count: > 0 and <= 20 } || scopes.Any(s => s is null || !TokenScopes.IsKnown(s)))
        {
            problems = problems.Add("scopes", $"give at least one of {string.Join(", ", ScopesOf(caller).Select(s => s.Name))}.");
        }
        else if (scopes.Contains(TokenScopes.Admin) && !IsNamedAdministrator(caller))
        {
            problems = problems.Add("scopes",
                "admin is for administrators whom the configuration names by identity; your account is none of them.");
        }

        if (days is not null && (days < 1 || days > MaximumDays))
        {
            problems = problems.Add("expiresInDays", $"give 1 to {MaximumDays}, or leave it out for {DefaultDays}.");
        }

        if (!problems.IsEmpty)
        {
            throw ProblemException.Invalid(problems);
        }
    }
}
