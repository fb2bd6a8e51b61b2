namespace Berth.Accounts;

/// <summary>What an access token is wanted for.</summary>
public readonly record struct AccessTokenRequest
{
    /// <summary>
    /// Least time that the token has to last yet. The default is none: the vault's own margin (60 s or a tenth of the token's life,
    /// whichever is less) holds in any case. When the provider gives none that lasts so long, the newest is given.
    /// </summary>
    public TimeSpan MinimumLifetime { get; init; }

    /// <summary>
    /// A new token whatever is cached, as after an upstream refused the one at hand. Name the refused one in <see cref="Rejected"/>, so
    /// that many callers who saw the same refusal cause one refresh and not one each.
    /// </summary>
    public bool ForceRefresh { get; init; }

    /// <summary>
    /// <see cref="VaultAccessToken.Version"/> of the token that was refused; with <see cref="ForceRefresh"/>, a token of a higher version
    /// is as good as a new one. The default, 0, forces a refresh in any case.
    /// </summary>
    public long Rejected { get; init; }
}

/// <summary>How asking for an access token ended.</summary>
public enum AccessTokenOutcome
{
    /// <summary>There is a token.</summary>
    Granted,

    /// <summary>
    /// The stored token does not work any more and never will: the person has to consent anew. <see cref="ReconsentCause"/> says why.
    /// </summary>
    NeedsConsent,

    /// <summary>The token was revoked here.</summary>
    Revoked,

    /// <summary>There is no such token, or it is somebody else's: the two cannot be told apart.</summary>
    NotFound,

    /// <summary>
    /// The provider does not answer or is overloaded, and no cached token lasts long enough. Worth a try after RetryAfter.
    /// </summary>
    ProviderUnavailable,

    /// <summary>The provider answered, but with an error of configuration or something unreadable: an administrator has to look.</summary>
    ProviderError,

    /// <summary>The database or the keys cannot be reached, or what is stored cannot be decrypted.</summary>
    VaultUnavailable,
}

/// <summary>Why a token does not work any more.</summary>
public enum ReconsentCause
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>The provider refused it (invalid_grant): revoked there, expired, or the account changed.</summary>
    Refused,

    /// <summary>
    /// The provider refused it after an attempt whose answer never arrived: the provider had replaced the token, and the replacement was
    /// lost on the way or in a crash.
    /// </summary>
    RotationLost,

    /// <summary>Two attempts in a row were cut off by a crash. It is not tried a third time.</summary>
    Interrupted,

    /// <summary>Its connection is not configured any more, or with another issuer or client.</summary>
    ConnectionChanged,

    /// <summary>What is stored cannot be decrypted as belonging to its row: somebody changed the database.</summary>
    Unreadable,
}

/// <summary>An access token that the vault gives out. It has no text form that holds the token.</summary>
public sealed class VaultAccessToken
{
    internal VaultAccessToken(Guid tokenId, string value, string tokenType, string scope, TimeSpan remaining, long version, bool cached)
    {
        TokenId = tokenId;
        Value = value;
        TokenType = tokenType;
        Scope = scope;
        Remaining = remaining;
        Version = version;
        IsCached = cached;
    }

    /// <summary>Id of the stored token it was made with.</summary>
    public Guid TokenId { get; }

    /// <summary>The token. A secret: it goes into an Authorization header and nowhere else.</summary>
    public string Value { get; }

    /// <summary>How it is used, nearly always <c>Bearer</c>.</summary>
    public string TokenType { get; }

    /// <summary>Scopes, separated by spaces; empty when the provider did not tell.</summary>
    public string Scope { get; }

    /// <summary>Time until it expires, by the local monotonic clock: independent of whether the machine's clock is right.</summary>
    public TimeSpan Remaining { get; }

    /// <summary>Version of the stored token: rises with each refresh.</summary>
    public long Version { get; }

    /// <summary>Whether it was at hand and no request to the provider was made for this caller.</summary>
    public bool IsCached { get; }

    /// <summary>Says which token it is, not what.</summary>
    public override string ToString() => $"access token of {TokenId} version {Version}";
}

/// <summary>Answer to a request for an access token.</summary>
public sealed class AccessTokenResult
{
    /// <summary>How it ended.</summary>
    public required AccessTokenOutcome Outcome { get; init; }

    /// <summary>The token; not null exactly for <see cref="AccessTokenOutcome.Granted"/>.</summary>
    public VaultAccessToken? Token { get; init; }

    /// <summary>Why, for <see cref="AccessTokenOutcome.NeedsConsent"/>.</summary>
    public ReconsentCause Cause { get; init; }

    /// <summary>When to try again, for the outcomes that another try can change.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Connection of the stored token, where it is known.</summary>
    public string? Connection { get; init; }

    /// <summary>
    /// What happened, in words for whoever asked; never holds a token or text of the provider beyond an OAuth error code.
    /// </summary>
    public string Detail { get; init; } = "";

    /// <summary>Outcome and detail.</summary>
    public override string ToString() => $"{Outcome}: {Detail}";
}
