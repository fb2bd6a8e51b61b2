using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Every error of the proxy, in one place; docs/upstream.md has the same table, and a test compares them.</summary>
internal static class UpstreamErrors
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(10);

    /// <summary>Nothing that says who calls.</summary>
    public static ConnectionError NotAuthenticated { get; } = new("not-authenticated", 401,
        "Send an access token of this edge, or a workspace's own token, as a bearer token.");

    /// <summary>A fault of the edge itself.</summary>
    public static ConnectionError Internal => ManagerErrors.Internal;

    /// <summary>A token or session that is not good.</summary>
    public static ConnectionError InvalidToken { get; } = new("invalid-token", 401,
        "The token is not accepted: it may have ended, or be meant for something else. Get a new one; a workspace reads its file again.");

    /// <summary>The account is disabled.</summary>
    public static ConnectionError Disabled { get; } = new("account-disabled", 403, "The account is disabled. Ask an administrator.");

    /// <summary>A workspace's token whose workspace does not run.</summary>
    public static ConnectionError WorkspaceNotRunning { get; } = new("workspace-not-running", 403,
        "The token is that of a workspace which is stopped, frozen or gone, or of a pod that it does not have any more.");

    /// <summary>The template does not list the connection.</summary>
    public static ConnectionError WorkspaceNotAllowed { get; } = new("workspace-not-allowed", 403,
        "The template of this workspace does not open this connection (spec.connections). Ask whoever keeps the template.");

    /// <summary>Whether the token is good cannot be found out now.</summary>
    public static ConnectionError CannotVerify { get; } = new("cannot-verify", 503,
        "Whoever made the token (the cluster or the identity provider) does not answer, so it cannot be verified. "
            + "Try again.")
    { RetryAfter = Soon };

    /// <summary>No such connection, or none that is forwarded.</summary>
    public static ConnectionError ConnectionNotFound { get; } = new("connection-not-found", 404,
        "There is no connection of this name that calls can be made of. Check the name in the path.");

    /// <summary>A cookie, and no proof that one of our pages sent it.</summary>
    public static ConnectionError CrossSite { get; } = new("cross-site", 403,
        "With the session cookie, calls are accepted from scripts of the edge's own pages only. Use a bearer token elsewhere.");

    /// <summary>A page of an origin that may not call.</summary>
    public static ConnectionError OriginNotAllowed { get; } = new("origin-not-allowed", 403,
        "Pages of this origin may not call this connection, or not in this way. An administrator lists origins in Cors:AllowedOrigins.");

    /// <summary>Two authorisations.</summary>
    public static ConnectionError BadRequest { get; } = new("bad-request", 400,
        "The request cannot be forwarded as it was sent: a header is given twice, or its body is broken off.");

    /// <summary>The path can be read in more than one way.</summary>
    public static ConnectionError BadPath { get; } = new("bad-path", 400,
        "The path can be read in more than one way: leave out empty segments and escapes that are not UTF-8.");

    /// <summary>The path is on no list.</summary>
    public static ConnectionError PathNotAllowed { get; } = new("path-not-allowed", 403,
        "This path may not be called. An administrator lists paths in Upstream:AllowedPaths.");

    /// <summary>WebSockets.</summary>
    public static ConnectionError UpgradeNotAllowed { get; } = new("upgrade-not-allowed", 403,
        "Protocols are not switched here: WebSockets are not forwarded.");

    /// <summary>The method is on no list.</summary>
    public static ConnectionError MethodNotAllowed { get; } = new("method-not-allowed", 405,
        "This method may not be used here; the Allow header lists those that may.");

    /// <summary>The body is too large.</summary>
    public static ConnectionError BodyTooLarge { get; } =
        new("body-too-large", 413, "The body is larger than Upstream:MaximumBody allows.");

    /// <summary>The upstream sends elsewhere.</summary>
    public static ConnectionError RedirectRefused { get; } = new("redirect-refused", 502,
        "The API answered with a redirect to a place outside of its configured address. Redirects are not followed, and this one is not "
            + "passed on.");

    /// <summary>A fresh token was refused.</summary>
    public static ConnectionError TokenRejected { get; } = new("token-rejected", 502,
        "The API does not accept the token, not even a new one. It may have been granted for something else: consent again, or ask an "
            + "administrator to check scopes and audience of the connection.");

    /// <summary>The token was renewed, and the body is gone.</summary>
    public static ConnectionError RetryWithNewToken { get; } = new("retry-with-new-token", 503,
        "The API did not accept the token, which has been renewed now. The body was too large to be kept, so repeat the request.")
    {
        RetryAfter = Soon,
    };

    /// <summary>Nobody answers.</summary>
    public static ConnectionError UpstreamUnreachable { get; } = new("upstream-unreachable", 502,
        "The API cannot be reached, or broke off its answer before it began.");

    /// <summary>The answer makes no sense here.</summary>
    public static ConnectionError UpstreamAnswer { get; } = new("upstream-answer", 502, "The API gave an answer that cannot be passed on.");

    /// <summary>It took too long.</summary>
    public static ConnectionError UpstreamTimeout { get; } = new("upstream-timeout", 504,
        "The API took too long. What it had begun may still be done; look before you repeat a call that changes something.");

    /// <summary>The database or the keys are away, or there is no vault.</summary>
    public static ConnectionError VaultUnavailable { get; } = new("vault-unavailable", 503,
        "The token vault is not available. Try again; if it lasts, tell an administrator.")
    { RetryAfter = Later };

    /// <summary>A personal access token that is for something else.</summary>
    public static ConnectionError InsufficientScope(string detail) => new("insufficient-scope", 403, detail);

    /// <summary>Rate limit.</summary>
    public static ConnectionError TooManyRequests(TimeSpan? retryAfter) => new("too-many-requests", 429,
        "Too many calls of this connection. Wait as long as Retry-After says.")
    { RetryAfter = retryAfter ?? Soon };

    /// <summary>What the vault's answer means for the caller.</summary>
    public static ConnectionError FromVault(AccessTokenResult result, string consentUrl) => result.Outcome switch
    {
        AccessTokenOutcome.NotFound or AccessTokenOutcome.Revoked => new("consent-required", 409,
            "You have not allowed this connection yet. Open consentUrl in a browser, and repeat the call.")
        {
            Details = [("consentUrl", consentUrl)],
        },
        AccessTokenOutcome.NeedsConsent => new("reconsent-required", 409,
            "What you once allowed does not work any more; cause says why. Open consentUrl in a browser, and repeat the call.")
        {
            Details = [("consentUrl", consentUrl), ("cause", result.Cause.ToText())],
        },
        AccessTokenOutcome.ProviderUnavailable => new("provider-unavailable", 503,
            "The provider of this connection does not answer now, and no token is at hand.")
        { RetryAfter = result.RetryAfter ?? Later },
        AccessTokenOutcome.ProviderError => new("provider-error", 502,
            "The provider of this connection answered with an error of its configuration. Tell an administrator the request id."),
        _ => VaultUnavailable with { RetryAfter = result.RetryAfter ?? Later },
    };
}
