namespace Berth.Accounts;

/// <summary>
/// Personal access tokens: what people's own programs show instead of a session. Kept is the SHA-256 of a token, never the token.
/// </summary>
/// <remarks>
/// That a token was revoked is known on every replica at once (<see cref="IRevocations.IsTokenRevoked"/>); whether its person is disabled
/// too. Signing out everywhere does not end them: they are made for programs that run while nobody is signed in.
/// </remarks>
public interface IPersonalTokens
{
    /// <summary>Keeps a new token.</summary>
    /// <param name="person">Whose; somebody who has signed in.</param>
    /// <param name="token">The token.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The token breaks a rule of <see cref="PersonalTokenRules"/>.</exception>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<PersonalTokenResult> CreateAsync(PersonKey person, NewPersonalToken token, CancellationToken cancellationToken);

    /// <summary>A person's tokens that were not revoked, newest first; those that have expired too, until upkeep removes them.</summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<IReadOnlyList<PersonalToken>> ListAsync(PersonKey person, CancellationToken cancellationToken);

    /// <summary>
    /// Finds a token by what was shown; null when there is none. Whether it may be used is for <see cref="PersonalToken.StateAt"/> to say.
    /// </summary>
    /// <param name="secretHash">SHA-256 of the token, see <see cref="PersonalTokenSecret.Hash"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<PersonalToken?> FindAsync(ReadOnlyMemory<byte> secretHash, CancellationToken cancellationToken);

    /// <summary>Ends one token of a person, on every replica.</summary>
    /// <returns>False when the person has no such token, or it was revoked before.</returns>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached: the token still works.</exception>
    Task<bool> RevokeAsync(PersonKey person, Guid id, CancellationToken cancellationToken);

    /// <summary>Ends all tokens of a person, on every replica.</summary>
    /// <returns>How many ended.</returns>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached: they still work.</exception>
    Task<int> RevokeAllAsync(PersonKey person, CancellationToken cancellationToken);

    /// <summary>
    /// Queues "the token was used"; at most one write in <see cref="PersonalTokenRules.UseInterval"/>. Never waits, never throws.
    /// </summary>
    void Touch(Guid id, DateTimeOffset at);
}

/// <summary>A token to be kept.</summary>
public sealed record NewPersonalToken
{
    /// <summary>Its id; not secret.</summary>
    public required Guid Id { get; init; }

    /// <summary>What its person calls it; 1 to 100 characters.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the token, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> SecretHash { get; init; }

    /// <summary>What it may do; at least one. Their names are the edge's.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Now.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends by itself.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A token that is kept; the token itself is in no field.</summary>
public sealed record PersonalToken
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Whose.</summary>
    public required PersonKey Person { get; init; }

    /// <summary>The person's name, display only; null in lists.</summary>
    public string? PersonName { get; init; }

    /// <summary>The person's e-mail address, display only; null in lists.</summary>
    public string? PersonEmail { get; init; }

    /// <summary>Whether the person may not sign in.</summary>
    public bool PersonDisabled { get; init; }

    /// <summary>What its person calls it.</summary>
    public required string Name { get; init; }

    /// <summary>What it may do.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends by itself.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Last use, to the hour; null when there was none.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>When it was revoked; null when it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>
    /// Whether it may be used. What somebody decided is told before what time did. Its end is exclusive: at the very moment it is over.
    /// </summary>
    public PersonalTokenState StateAt(DateTimeOffset now) =>
        PersonDisabled ? PersonalTokenState.Disabled
        : RevokedAt is not null ? PersonalTokenState.Revoked
        : now >= ExpiresAt ? PersonalTokenState.Expired
        : PersonalTokenState.Active;
}

/// <summary>Whether a token may be used, and if not, why.</summary>
public enum PersonalTokenState
{
    /// <summary>It may.</summary>
    Active,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>Somebody ended it.</summary>
    Revoked,

    /// <summary>Its person may not sign in.</summary>
    Disabled,
}

/// <summary>What came of a new token.</summary>
public enum PersonalTokenResult
{
    /// <summary>It is kept.</summary>
    Created,

    /// <summary>The person has as many live tokens as they may.</summary>
    TooMany,

    /// <summary>Nobody with this identity has signed in here, or they may not any more.</summary>
    NoSuchPerson,
}

/// <summary>Bounds of tokens.</summary>
public static class PersonalTokenRules
{
    /// <summary>
    /// Most live tokens of a person: one for each program and machine, with room; a list of more is looked through by nobody.
    /// </summary>
    public const int MaximumLive = 50;

    /// <summary>Longest name, in characters.</summary>
    public const int MaximumName = 100;

    /// <summary>How coarse "last used" is: one write an hour says which token nobody needs any more.</summary>
    public static TimeSpan UseInterval { get; } = TimeSpan.FromHours(1);

    /// <summary>Whether a name is one: 1 to 100 characters, no control characters, not only blanks.</summary>
    public static bool IsName(string? name) => name is { Length: > 0 and <= MaximumName } && !string.IsNullOrWhiteSpace(name)
        && !name.Any(char.IsControl) && PreferenceRules.IsText(name);

    internal static void ThrowIfBroken(NewPersonalToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        if (!IsName(token.Name) || token.SecretHash.Length != 32 || token.Scopes.Count == 0 || token.ExpiresAt <= token.CreatedAt)
        {
            throw new ArgumentException("A token has a name, a hash of 32 bytes, a scope, and an end after its beginning.", nameof(token));
        }
    }
}
