using Microsoft.Extensions.Primitives;

namespace Berth.Edge;

/// <summary>
/// Lets a request in by its Authorization header, and answers the ones it does not let in. The one place for it, whatever the host, so
/// that a
/// bad credential is counted, refused and worded alike everywhere.
/// </summary>
/// <remarks>
/// <code>
/// too many bad ones from this address, and this one is not known to be good -> 429
/// good       -> the caller
/// bad        -> counted; 401, WWW-Authenticate: Bearer error="invalid_token" (RFC 6750, 3.1)
/// rules      -> counted; 403: the token is good, its person may not come in
/// who knows  -> 503 with Retry-After: the provider or the database does not answer
/// </code>
/// </remarks>
internal sealed class BearerGate(BearerAuthenticator bearer, RequestLimits limits, IEdgePages pages, EdgeSettings settings,
    TimeProvider clock)
{
    private const string Scheme = "Bearer";

    /// <summary>
    /// Whether a header's value uses the Bearer scheme, in any case and however malformed: what other servers may take for one is one.
    /// </summary>
    public static bool IsBearer(string header)
    {
        var value = header.AsSpan().TrimStart(" \t");
        return value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && (value.Length == Scheme.Length || !(char.IsAsciiLetterOrDigit(value[Scheme.Length]) || value[Scheme.Length] is '-' or '_'));
    }

    /// <summary>Whether a request shows a token, or headers of which nobody can tell which one counts.</summary>
    public static bool IsShown(StringValues authorization) =>
        authorization.Count > 1 || (authorization.Count == 1 && IsBearer(authorization.ToString()));

    /// <summary>Authenticates a request that has one Authorization header.</summary>
    /// <returns>The caller; null when the request has been answered.</returns>
    public async ValueTask<Caller?> AuthenticateAsync(HttpContext context, CanonicalRequest request)
    {
        // Who showed too many bad ones is not listened to for a while; one that is known to be good costs nothing.
        var header = context.Request.Headers.Authorization.ToString();
        var trial = limits.MayTryCredential(request);
        if (trial.IsRefused && !bearer.IsVerified(header))
        {
            await limits.WriteAsync(context, trial);
            return null;
        }

        var (caller, error) = await bearer.AuthenticateScopedAsync(header, context.RequestAborted);
        if (caller is not null)
        {
            return caller;
        }

        RequestNotes.TokenRefused(context, TokenFinding.Of(header, error, settings, clock.GetUtcNow()));
        if (error == TokenError.Unverifiable)
        {
            context.Response.Headers.RetryAfter = "5";
            await pages.WriteAsync(context, EdgeMessages.CannotVerify());
            return null;
        }

        var counted = limits.RefuseCredential(request);
        await (counted.IsRefused ? limits.WriteAsync(context, counted)
            : error == TokenError.PersonNotAllowed ? pages.WriteAsync(context, EdgeMessages.PersonNotAllowed()) : RefuseAsync(context));
        return null;
    }

    /// <summary>Answers 401 to a token that is not accepted, or not any more.</summary>
    public Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
        return pages.WriteAsync(context, EdgeMessages.InvalidToken(settings));
    }
}
