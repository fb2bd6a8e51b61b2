using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>
/// What a provider tells of its sign-outs: from its servers (POST, OpenID Connect Back-Channel Logout 1.0), and by a frame in the browser
/// (GET, Front-Channel Logout 1.0).
/// </summary>
/// <remarks>
/// Neither brings a cookie that counts: the first has the provider's signature, the second names a session id that only the provider and
/// this browser know. Cookies with SameSite=Lax do not come with a frame of another site, so that one works by the id alone, and ends
/// nothing that the id does not name.
/// </remarks>
internal sealed class ProviderLogoutEndpoint(
    IdentityProviders providers, ISignInRecorder recorder, TimeProvider clock, ILogger<ProviderLogoutEndpoint> logger)
{
    /// <summary>Path of the back channel; register PublicOrigin + this as backchannel_logout_uri, with session required.</summary>
    public const string BackChannelPath = "/auth/backchannel-logout";

    /// <summary>Path of the front channel; register PublicOrigin + this as frontchannel_logout_uri, with session required.</summary>
    public const string FrontChannelPath = "/auth/frontchannel-logout";

    private const int MaximumBody = 16 * 1024;
    private readonly OneTimeIds _used = new(clock, LogoutTokenVerifier.MaximumAge + JwtClaims.Skew + JwtClaims.Skew, 100_000);

    /// <summary>POST of a logout token.</summary>
    public async Task BackChannelAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (await ReadTokenAsync(context) is not { } text)
        {
            await RefuseAsync(context, "The body has to be a form with one logout_token.");
            return;
        }

        var (provider, token, error) = await VerifyAsync(text, context.RequestAborted);
        if (token is null)
        {
            SignInLog.LogoutTokenRefused(logger, error, context.TraceIdentifier);
            await RefuseAsync(context, $"The logout token is not accepted: {error}.");
            return;
        }

        var once = $"{provider!.Settings.Issuer} {token.Id}";
        if (!_used.TryUse(once))
        {
            await RefuseAsync(context, "The logout token has been used before.");
            return;
        }

        try
        {
            var ended = await recorder.EndAsync(
                provider.Settings.Issuer, token.Subject, token.ProviderSessionId, context.RequestAborted);
            SignInLog.SignedOutByProvider(logger, provider.Settings.Issuer, token.ProviderSessionId ?? "all", ended);
        }
        catch (Exception e) when (e is SignInUnavailableException or OperationCanceledException)
        {
            // Nothing was ended: the same token may come again.
            _used.Forget(once);
            context.Response.Headers.RetryAfter = "5";
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
    }

    /// <summary>GET in a frame of the provider's page.</summary>
    public async Task FrontChannelAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (!QueryParameters.TrySingle(query, "iss", 2048, out var issuer) || !QueryParameters.TrySingle(query, "sid", 128, out var session)
            || string.IsNullOrEmpty(session) || issuer is null || providers.ByIssuer(issuer) is not { } provider)
        {
            context.Response.Headers.CacheControl = "no-store";
            await RefuseAsync(context, "The address needs iss, one of the providers of this service, and sid, once each.");
            return;
        }

        try
        {
            var ended = await recorder.EndAsync(issuer, null, session, context.RequestAborted);
            SignInLog.SignedOutByProvider(logger, issuer, session, ended);
        }
        catch (SignInUnavailableException)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }

        // Frameable, and there alone: the provider's page waits for the frame to load.
        context.State().FrameAncestor = new(new Uri(provider.Settings.Issuer).GetLeftPart(UriPartial.Authority));
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync("<!doctype html><title>Signed out</title>", context.RequestAborted);
    }

    private static async Task<string?> ReadTokenAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType || context.Request.ContentLength > MaximumBody)
        {
            return null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MaximumBody;
        }

        try
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            return form["logout_token"] is { Count: 1 } values && values[0] is { Length: > 0 } text ? text : null;
        }
        catch (Exception error) when (error is BadHttpRequestException or InvalidDataException)
        {
            return null;
        }
    }

    private static Task RefuseAsync(HttpContext context, string description)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return context.Response.WriteAsJsonAsync(
            new Dictionary<string, string> { ["error"] = "invalid_request", ["error_description"] = description }, context.RequestAborted);
    }

    private async Task<(IdentityProvider? Provider, LogoutToken? Token, TokenError Error)> VerifyAsync(
        string text, CancellationToken cancellationToken)
    {
        var error = JwsVerifier.Parse(text, JwsAlgorithms.All, out var jws);
        if (error != TokenError.None)
        {
            return (null, null, error);
        }

        // The issuer a token claims only picks among the configured ones.
        if (AccessTokenVerifier.UnverifiedIssuer(jws!) is not { } issuer || providers.ByIssuer(issuer) is not { } provider)
        {
            return (null, null, TokenError.UnknownIssuer);
        }

        var now = clock.GetUtcNow();
        error = LogoutTokenVerifier.Verify(jws!, provider.Settings, provider.Current?.Keys ?? JwkSet.Empty, now, out var token);
        if (error == TokenError.UnknownKey)
        {
            var keys = await provider.KeysAfterMissAsync(cancellationToken);
            error = LogoutTokenVerifier.Verify(jws!, provider.Settings, keys, now, out token);
        }

        return (provider, token, error);
    }
}

/// <summary>The one origin whose pages may frame this answer.</summary>
internal sealed record FrameAncestor(string Origin);
