namespace Berth.Edge;

/// <summary>GET /login: starts a flow and sends the browser to the provider.</summary>
internal sealed class LoginEndpoint(
    EdgeSettings settings, IdentityProviders providers, SignInFlowCookies flows, ReturnTargets targets, IEdgePages pages,
        TimeProvider clock, ILogger<LoginEndpoint> logger)
{
    /// <summary>Path of the callback; with several providers, the provider's key stands below it.</summary>
    public const string CallbackPath = "/auth/callback";

    private const int MaximumHint = 254;

    /// <summary>Answers the request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (!QueryParameters.TrySingle(query, "return", 4096, out var wanted)
            || !QueryParameters.TrySingle(query, "provider", 63, out var key)
            || !QueryParameters.TrySingle(query, "login_hint", MaximumHint, out var loginHint)
            || !QueryParameters.TrySingle(query, "screen_hint", 32, out var screenHint))
        {
            await pages.WriteAsync(context, EdgeMessages.BadRequest("A parameter of the sign-in address is given twice or too long."));
            return;
        }

        var target = targets.Clean(wanted);
        if (!context.GetCanonical().IsNavigation)
        {
            // A script cannot follow a redirect to a provider; and no flow starts for it.
            await pages.WriteAsync(context, EdgeMessages.SignInRequired(LoginUrl(target)));
            return;
        }

        if (loginHint is null && key is null && context.GetCaller() is { Kind: CallerKind.Session })
        {
            Redirect(context, target);
            return;
        }

        var provider = key is null ? providers.All[0] : providers.ByKey(key);
        if (provider is null || (key is null && providers.All.Length > 1))
        {
            await pages.WriteAsync(context, Choice(target, loginHint));
            return;
        }

        await StartAsync(context, provider, target, loginHint, screenHint);
    }

    /// <summary>Redirects after something was done: 303, never cached.</summary>
    public static void Redirect(HttpContext context, string target)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = target;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
    }

    /// <summary>Path of /login that comes back to a target.</summary>
    public static string LoginUrl(string target) => target == "/" ? "/login" : "/login?return=" + Uri.EscapeDataString(target);

    /// <summary>
    /// Path of a provider's callback: its own where there are several, so that an answer that another one gave is known by where it arrives,
    /// whether it says its issuer or not (RFC 9700, 4.4.2.2).
    /// </summary>
    public static string CallbackPathOf(IssuerSettings issuer, EdgeSettings settings) =>
        settings.Issuers.Length > 1 ? $"{CallbackPath}/{issuer.Key}" : CallbackPath;

    private async Task StartAsync(HttpContext context, IdentityProvider provider, string target, string? loginHint, string? screenHint)
    {
        ProviderMetadata metadata;
        try
        {
            metadata = (await provider.GetAsync(context.RequestAborted)).Metadata;
        }
        catch (ProviderUnavailableException e)
        {
            SignInLog.Refused(logger, e.Message, context.TraceIdentifier);
            context.Response.Headers.RetryAfter = "5";
            await pages.WriteAsync(context, EdgeMessages.SignInFailed(
                "provider-unavailable", "The identity provider does not answer right now. Try again in a moment.", settings, 503));
            return;
        }

        var flow = SignInFlow.Start(provider.Settings.Key, target, clock.GetUtcNow());
        flows.Write(context, flow);
        Redirect(context, QueryParameters.Append(
            metadata.AuthorizationEndpoint,
            ("response_type", "code"),
            ("client_id", provider.Settings.ClientId),
            ("redirect_uri", settings.PublicOrigin + CallbackPathOf(provider.Settings, settings)),
            ("scope", provider.Settings.Scope),
            ("state", flow.State),
            ("nonce", flow.Nonce),
            ("code_challenge", flow.Challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", loginHint),
            ("screen_hint", screenHint)));
    }

    private EdgeMessage Choice(string target, string? loginHint) => new()
    {
        Status = 200,
        Reason = "choose-provider",
        Title = "Sign in",
        Detail = "Choose how to sign in.",
        Actions = [.. providers.All.Select(p => new EdgeAction(
            p.Settings.DisplayName,
            $"/login?provider={p.Settings.Key}&return={Uri.EscapeDataString(target)}"
                + (loginHint is null ? "" : "&login_hint=" + Uri.EscapeDataString(loginHint))))],
    };
}
