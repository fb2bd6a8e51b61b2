namespace Berth.Edge;

/// <summary>Keeps the tokens that renew what is known of a person, beside the session and never in a cookie.</summary>
internal interface ISessionTokens
{
    /// <summary>Keeps the tokens of a session that begins.</summary>
    /// <exception cref="SignInUnavailableException">They cannot be kept now.</exception>
    Task StoreAsync(
        EdgeSession session, IssuerSettings issuer, string refreshToken, string idToken, CancellationToken cancellationToken);

    /// <summary>
    /// Gives an ID token that was received less than <paramref name="youngerThan"/> ago, asking the provider where there is none: once,
    /// however many replicas want it. Throws nothing.
    /// </summary>
    Task<SessionTokenAnswer> GetAsync(EdgeSession session, IssuerSettings issuer, TimeSpan youngerThan);

    /// <summary>The last ID token, for the provider's sign-out; null when there is none, or it cannot be had.</summary>
    Task<string?> FindHintAsync(EdgeSession session, CancellationToken cancellationToken);

    /// <summary>Ends the tokens of a session that has ended, here and at the provider; waits for nobody.</summary>
    void Forget(EdgeSession session);
}

/// <summary>How asking for an ID token ended.</summary>
internal enum SessionTokenKind
{
    /// <summary>There is one; it may be older than what was asked for while the provider does not answer.</summary>
    Token,

    /// <summary>There will not be one any more: the provider ended it (invalid_grant), or the tokens are gone.</summary>
    Over,

    /// <summary>Not now: the provider or the database does not answer.</summary>
    Unavailable,

    /// <summary>The provider answers, but with nothing that helps: configuration.</summary>
    Unusable,
}

/// <summary>An ID token of a session.</summary>
/// <param name="Kind">How asking ended.</param>
/// <param name="IdToken">The token.</param>
/// <param name="Age">Time since it was received from the provider.</param>
/// <param name="Detail">What happened, for the log; no token.</param>
internal readonly record struct SessionTokenAnswer(
    SessionTokenKind Kind, string? IdToken = null, TimeSpan Age = default, string Detail = "");

/// <summary>Keeps nothing: for where there is no vault.</summary>
internal sealed class NoSessionTokens : ISessionTokens
{
    /// <inheritdoc/>
    public Task StoreAsync(
        EdgeSession session, IssuerSettings issuer, string refreshToken, string idToken, CancellationToken cancellationToken) =>
        throw new SignInUnavailableException("There is no token vault to keep refresh tokens in.");

    /// <inheritdoc/>
    public Task<SessionTokenAnswer> GetAsync(EdgeSession session, IssuerSettings issuer, TimeSpan youngerThan) =>
        Task.FromResult(new SessionTokenAnswer(SessionTokenKind.Unavailable, Detail: "there is no token vault"));

    /// <inheritdoc/>
    public Task<string?> FindHintAsync(EdgeSession session, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    public void Forget(EdgeSession session)
    {
    }
}
