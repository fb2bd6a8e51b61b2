namespace Berth.Accounts;

/// <summary>State of a stored token.</summary>
public enum StoredTokenState
{
    /// <summary>Works as far as is known.</summary>
    Active,

    /// <summary>The person has to consent anew.</summary>
    NeedsConsent,

    /// <summary>Revoked here.</summary>
    Revoked,
}

/// <summary>What may be shown of a stored token. It holds no secret.</summary>
public sealed record StoredToken
{
    /// <summary>Id: what people call persistent token id. It is no credential: only the owner gets something for it.</summary>
    public required Guid Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required PersonKey Owner { get; init; }

    /// <summary>Name of the connection.</summary>
    public required string Connection { get; init; }

    /// <summary>Issuer of the provider it came from.</summary>
    public required string Issuer { get; init; }

    /// <summary>Client id it was issued to.</summary>
    public required string ClientId { get; init; }

    /// <summary>Subject at that provider, when an ID token told.</summary>
    public string? ProviderSubject { get; init; }

    /// <summary>Session at the provider (sid, or session_state of older ones), when it told.</summary>
    public string? ProviderSessionId { get; init; }

    /// <summary>Granted scopes, sorted, separated by one space.</summary>
    public required string Scope { get; init; }

    /// <summary>What it is for, in the words of whoever asked for it; empty for the general one.</summary>
    public required string Purpose { get; init; }

    /// <summary>State.</summary>
    public required StoredTokenState State { get; init; }

    /// <summary>Why consent is needed.</summary>
    public ReconsentCause Cause { get; init; }

    /// <summary>Rises with each change of what is stored.</summary>
    public required long Version { get; init; }

    /// <summary>First stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last refreshed, or stored.</summary>
    public required DateTimeOffset RefreshedAt { get; init; }
}

/// <summary>Tokens that a provider gave for a person. It has no text form that holds a token.</summary>
public sealed class NewGrant
{
    /// <summary>Whose they are from now on.</summary>
    public required PersonKey Owner { get; init; }

    /// <summary>Name of the connection they came by.</summary>
    public required string Connection { get; init; }

    /// <summary>Refresh or offline token; at most 16 KiB.</summary>
    public required string RefreshToken { get; init; }

    /// <summary>Access token of the same answer, if it may be used.</summary>
    public string? AccessToken { get; init; }

    /// <summary>How the access token is used.</summary>
    public string TokenType { get; init; } = "Bearer";

    /// <summary>Life of the access token from its receipt, as the provider told; null when it did not.</summary>
    public TimeSpan? ExpiresIn { get; init; }

    /// <summary>Granted scopes; empty when the provider did not tell, which means those asked for (RFC 6749, 5.1).</summary>
    public string Scope { get; init; } = "";

    /// <summary>Subject at the provider, from a verified ID token.</summary>
    public string? ProviderSubject { get; init; }

    /// <summary>Session at the provider.</summary>
    public string? ProviderSessionId { get; init; }

    /// <summary>What it is for: tokens of one person and connection are kept apart by purpose. At most 100 characters.</summary>
    public string Purpose { get; init; } = "";

    /// <summary>Id of the row where it is known beforehand: that of a session.</summary>
    internal Guid? Id { get; init; }
}

/// <summary>What the provider is told of a revocation.</summary>
public enum UpstreamRevocation
{
    /// <summary>It is told, with retries, after the call has returned.</summary>
    Queued,

    /// <summary>It is not: other stored tokens are the same token.</summary>
    SharedToken,

    /// <summary>It is not: other stored tokens are of the same session there.</summary>
    SharedSession,

    /// <summary>There is nothing to tell: the token has ended already, or was revoked before.</summary>
    NotNeeded,
}

/// <summary>What a revocation did, or would do.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="Applied">False for a dry run.</param>
/// <param name="SharedTokens">Other active stored tokens that are the same token, by fingerprint.</param>
/// <param name="SharedSessions">Other active stored tokens of the same session at the provider.</param>
/// <param name="Upstream">What the provider is told.</param>
public sealed record TokenRevocation(Guid TokenId, bool Applied, int SharedTokens, int SharedSessions, UpstreamRevocation Upstream);
