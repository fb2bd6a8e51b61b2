namespace Berth.Accounts;

/// <summary>Consents from their beginning to the grant: what is between the two is kept here, on no browser.</summary>
public interface ITokenConsents
{
    /// <summary>How long a consent that was begun waits to be finished: 10 minutes, as a sign-in does.</summary>
    static TimeSpan Life => TimeSpan.FromMinutes(10);

    /// <summary>Begins one. Of a person's open ones the newest ten are kept.</summary>
    /// <exception cref="ArgumentException">The connection is not known, or a value is too long.</exception>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<BegunConsent> BeginAsync(ConsentRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Uses one up. Null when there is none with this state, its time is over, it was begun by somebody else, or in another session:
    /// nothing is used up then.
    /// </summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<TakenConsent?> TakeAsync(string state, PersonKey owner, string? sessionId, CancellationToken cancellationToken);

    /// <summary>Exchanges a code for tokens. Nothing is stored by it.</summary>
    Task<ProviderTokens> RedeemAsync(TakenConsent consent, string code, string redirectUri, CancellationToken cancellationToken);

    /// <summary>
    /// Uses a refresh token that somebody brought, once: it is proven to work for our client, and where the provider rotates, the copy that
    /// they hold does not work any more. Nothing is stored by it.
    /// </summary>
    Task<ProviderTokens> AdoptAsync(string connection, string refreshToken, CancellationToken cancellationToken);

    /// <summary>Tells the provider that tokens are not wanted, as far as it listens; never throws.</summary>
    Task AbandonAsync(string connection, string refreshToken, CancellationToken cancellationToken);
}

/// <summary>A consent to begin.</summary>
public sealed record ConsentRequest
{
    /// <summary>Who will own the token.</summary>
    public required PersonKey Owner { get; init; }

    /// <summary>Session it is begun in, and has to be finished in; null for one begun with a bearer token, which any session of the same
    /// person may finish.</summary>
    public string? SessionId { get; init; }

    /// <summary>Connection.</summary>
    public required string Connection { get; init; }

    /// <summary>What the token is for; at most 100 characters.</summary>
    public string Purpose { get; init; } = "";

    /// <summary>Where the browser goes afterwards; null shows the answer.</summary>
    public string? ReturnTo { get; init; }
}

/// <summary>What goes into the authorisation request.</summary>
/// <param name="State">State parameter, 256 random bits.</param>
/// <param name="Nonce">Nonce for the ID token.</param>
/// <param name="Challenge">PKCE challenge, method S256.</param>
public sealed record BegunConsent(string State, string Nonce, string Challenge);

/// <summary>A consent that comes back.</summary>
public sealed class TakenConsent
{
    internal TakenConsent(ConsentRow row, string nonce, string verifier)
    {
        (Connection, Purpose, ReturnTo, Nonce, Verifier) = (row.Connection, row.Purpose, row.ReturnTo, nonce, verifier);
    }

    /// <summary>Connection.</summary>
    public string Connection { get; }

    /// <summary>What the token is for.</summary>
    public string Purpose { get; }

    /// <summary>Where the browser goes afterwards.</summary>
    public string? ReturnTo { get; }

    /// <summary>Nonce that the ID token has to carry.</summary>
    public string Nonce { get; }

    internal string Verifier { get; }
}

/// <summary>What a provider gave, or why not. It has no text form that holds a token.</summary>
public sealed class ProviderTokens
{
    /// <summary><see cref="AccessTokenOutcome.Granted"/>, or what went wrong.</summary>
    public required AccessTokenOutcome Outcome { get; init; }

    /// <summary>What happened, in words.</summary>
    public string Detail { get; init; } = "";

    /// <summary>When to try again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Refresh token; null when the provider gave none: offline access was not granted.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>Access token.</summary>
    public string? AccessToken { get; init; }

    /// <summary>ID token, not verified.</summary>
    public string? IdToken { get; init; }

    /// <summary>How the access token is used.</summary>
    public string TokenType { get; init; } = "Bearer";

    /// <summary>Scopes as told; null when not.</summary>
    public string? Scope { get; init; }

    /// <summary>Life of the access token as told.</summary>
    public TimeSpan? ExpiresIn { get; init; }

    /// <summary>Session at the provider, where the answer itself told it.</summary>
    public string? ProviderSessionId { get; init; }

    /// <summary>The outcome.</summary>
    public override string ToString() => $"{Outcome}: {Detail}";
}
