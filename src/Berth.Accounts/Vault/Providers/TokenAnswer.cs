namespace Berth.Accounts;

/// <summary>What a token endpoint's answer means.</summary>
internal enum TokenAnswerKind
{
    /// <summary>Tokens.</summary>
    Tokens,

    /// <summary>The grant does not work, and never will.</summary>
    InvalidGrant,

    /// <summary>The request never reached the provider, or was turned away unread (429): the token is as it was.</summary>
    NotDone,

    /// <summary>Nobody knows whether the provider did it: no answer, one that cannot be read, 5xx.</summary>
    Unknown,

    /// <summary>The provider refuses our client or our request: configuration.</summary>
    Refused,
}

/// <summary>An answer of a token endpoint; owns the tokens in it.</summary>
internal sealed class TokenAnswer : IDisposable
{
    public required TokenAnswerKind Kind { get; init; }

    /// <summary>Access token; null when the answer has none.</summary>
    public Secret? AccessToken { get; init; }

    /// <summary>A new refresh token; null keeps the old.</summary>
    public Secret? RefreshToken { get; init; }

    /// <summary>ID token; null when the answer has none.</summary>
    public Secret? IdToken { get; init; }

    public string TokenType { get; init; } = "Bearer";

    /// <summary>Scopes as the provider told; null when it did not.</summary>
    public string? Scope { get; init; }

    /// <summary>Life as the provider told; null when it did not, or not readably.</summary>
    public TimeSpan? ExpiresIn { get; init; }

    /// <summary>Session at the provider: session_state of older Keycloaks, or sid beside the tokens.</summary>
    public string? SessionId { get; init; }

    /// <summary>When to try again, as the provider told.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What happened, for logs and people: a status, an OAuth error code; never a token nor other text of the provider.</summary>
    public string Detail { get; init; } = "";

    public static TokenAnswer Failed(TokenAnswerKind kind, string detail, TimeSpan? retryAfter = null) =>
        new() { Kind = kind, Detail = detail, RetryAfter = retryAfter };

    public void Dispose()
    {
        AccessToken?.Dispose();
        RefreshToken?.Dispose();
        IdToken?.Dispose();
    }

    public override string ToString() => $"{Kind} {Detail}";
}
