using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Every error of the token manager, in one place; docs/vault.md has the same table, and a test compares them.</summary>
internal static class ManagerErrors
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(30);

    /// <summary>Nothing that says who calls.</summary>
    public static ConnectionError NotAuthenticated { get; } = new("not-authenticated", 401,
        "Send an access token in the Authorization header (Bearer), or sign in at /login.");

    /// <summary>A consent that comes back with a bearer token.</summary>
    public static ConnectionError SignInRequired { get; } = new("sign-in-required", 401,
        "The consent has to end in the browser of the person: sign in at /login first.");

    /// <summary>A state that is not known, or not here.</summary>
    public static ConnectionError ConsentUnknown { get; } = new("consent-unknown", 400,
        "This consent was not begun by you in this browser session, was finished already, or took longer than ten minutes.");

    /// <summary>RFC 9207.</summary>
    public static ConnectionError IssuerMismatch { get; } = new("issuer-mismatch", 400,
        "The answer did not come from the provider that was asked. Begin again.");

    /// <summary>The person said no.</summary>
    public static ConnectionError ConsentDenied { get; } = new("consent-denied", 403, "Consent was not given. Nothing was stored.");

    /// <summary>Another account of the person's own provider.</summary>
    public static ConnectionError AccountMismatch { get; } = new("account-mismatch", 403,
        "Consent was given by another account of the same provider. Sign in there as yourself.");

    /// <summary>No such stored token, or somebody else's.</summary>
    public static ConnectionError TokenNotFound { get; } = new("token-not-found", 404,
        "There is no stored token with this id that is yours.");

    /// <summary>No such connection.</summary>
    public static ConnectionError ConnectionNotFound { get; } = new("connection-not-found", 404, "There is no connection of this name.");

    /// <summary>A new token needs consent.</summary>
    public static ConnectionError ConsentRequired { get; } = new("consent-required", 409,
        "A new token needs the person's consent: send their browser to consent_url, which GET offline-token makes.");

    /// <summary>Revoked here.</summary>
    public static ConnectionError TokenRevoked { get; } = new("token-revoked", 410,
        "The stored token was revoked. Ask for consent to get another.");

    /// <summary>A refresh token that was brought does not work.</summary>
    public static ConnectionError RefreshTokenRefused { get; } = new("refresh-token-refused", 422,
        "The provider does not accept the refresh token for this connection's client. Nothing was stored.");

    /// <summary>A fault of the edge itself.</summary>
    public static ConnectionError Internal { get; } = new("internal", 500,
        "The call failed for a reason that is not yours. Tell an administrator the request id.");

    /// <summary>Configuration here or there.</summary>
    public static ConnectionError ProviderError { get; } = new("provider-error", 502,
        "The provider did not accept the exchange. Begin again.")
    { RetryAfter = Soon };

    /// <summary>No refresh token came.</summary>
    public static ConnectionError NoOfflineAccess { get; } = new("no-offline-access", 502,
        "The provider gave no refresh token: the connection's scopes or the provider's settings do not allow offline access.")
    {
        RetryAfter = Later,
    };

    /// <summary>It does not answer.</summary>
    public static ConnectionError ProviderUnavailable { get; } = new("provider-unavailable", 503,
        "The provider does not answer right now. Try again in a moment.")
    { RetryAfter = Soon };

    /// <summary>The database is away, or the vault starts.</summary>
    public static ConnectionError VaultUnavailable { get; } = new("vault-unavailable", 503,
        "The token vault cannot be reached now. Try again soon.")
    { RetryAfter = Soon };

    /// <summary>There is no vault.</summary>
    public static ConnectionError VaultNotConfigured { get; } = new("vault-not-configured", 503,
        "This installation has no token vault: an administrator has to configure keys and a database.");

    /// <summary>A parameter or field that cannot be used.</summary>
    public static ConnectionError BadParameter(string field, string text) =>
        new ConnectionError("bad-parameter", 400, $"{field} {text}").With("field", field);

    /// <summary>An id that is none.</summary>
    public static ConnectionError BadUuid(string field) => new ConnectionError("bad-uuid", 400,
        $"Give '{field}' once, as a UUID such as 0198c0de-0000-7000-8000-000000000000.").With("field", field);

    /// <summary>What the vault's answer about a stored token means for its caller.</summary>
    /// <param name="result">The answer; not a granted one.</param>
    /// <param name="id">The stored token.</param>
    /// <param name="begin">Beginning of the address at which consent is asked for; the connection's name follows.</param>
    public static ConnectionError FromVault(AccessTokenResult result, Guid id, string begin) => result.Outcome switch
    {
        AccessTokenOutcome.NotFound => TokenNotFound,
        AccessTokenOutcome.Revoked => TokenRevoked,
        AccessTokenOutcome.NeedsConsent => new ConnectionError("reconsent-required", 409,
            result.Detail + " The person has to consent anew.")
            .With("cause", result.Cause.ToText()).With("persistent_token_id", id.ToString()).With("begin", begin + result.Connection),
        AccessTokenOutcome.ProviderUnavailable => ProviderUnavailable with
        {
            Message = result.Detail,
            RetryAfter = result.RetryAfter ?? Soon,
        },
        AccessTokenOutcome.ProviderError => ProviderError with { Message = result.Detail, RetryAfter = result.RetryAfter ?? Later },
        _ => VaultUnavailable with { Message = result.Detail, RetryAfter = result.RetryAfter ?? Soon },
    };
}
