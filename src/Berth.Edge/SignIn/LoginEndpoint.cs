namespace Berth.Edge;

/// <summary>GET /login: starts a flow and sends the browser to the provider.</summary>
internal sealed class LoginEndpoint(
    EdgeSettings settings, IdentityProviders providers, SignInFlowCookies flows, ReturnTargets targets, IEdgePages pages,
        TimeProvider clock, ILogger<LoginEndpoint> logger)
{
    /// <summary>Path of the callback; with several providers, the provider's key stands below it.</summary>
    public const string CallbackPath = "/auth/callback";

    /// <summary>Answers the request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var (hints, problem) = SignInHints.Read(query);
        if (hints is null || !QueryParameters.TrySingle(query, "return", 4096, out var wanted)
            || !QueryParameters.TrySingle(query, "provider", 63, out var key))
        {
            await pages.WriteAsync(
                context, EdgeMessages.BadRequest(problem ?? "A parameter of the sign-in address is given twice or too long."));
            return;
        }

        var target = targets.Clean(wanted);
        if (!context.GetCanonical().IsNavigation)
        {
            // A script cannot follow a redirect to a provider; and no flow starts for it.
            await pages.WriteAsync(context, EdgeMessages.SignInRequired(LoginUrl(target)));
            return;
        }

        var session = context.GetCaller() is { Kind: CallerKind.Session } caller ? caller : null;
        if (session is not null && key is null && !hints.WantsProvider)
        {
            Redirect(context, target);
            return;
        }

        // Who wants to be an administrator is asked by the provider that knows them.
        var known = key is null && hints.StepUp && session is not null ? providers.ByIssuer(session.Issuer) : null;
        var provider = known ?? (key is null ? providers.All[0] : providers.ByKey(key));
        if (provider is null || (known is null && key is null && providers.All.Length > 1))
        {
            await pages.WriteAsync(context, Choice(target, hints));
            return;
        }

        await StartAsync(context, provider, target, hints);
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
    /// Path of a provider's callback: its own where there are several, so that an answer that another one gave is known by where it
    /// arrives, whether it says its issuer or not (RFC 9700, 4.4.2.2).
    /// </summary>
    public static string CallbackPathOf(IssuerSettings issuer, EdgeSettings settings) =>
        settings.Issuers.Length > 1 ? $"{CallbackPath}/{issuer.Key}" : CallbackPath;

    private async Task StartAsync(HttpContext context, IdentityProvider provider, string target, SignInHints hints)
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
            await pages.WriteAsync(context, SignInProblems.ProviderUnavailable.ToMessage(settings));
            return;
        }

        var issuer = provider.Settings;
        var stepUp = hints.StepUp ? issuer.StepUp : null;
        var flow = SignInFlow.Start(issuer.Key, target, clock.GetUtcNow(), isStepUp: stepUp is not null, isAgain: hints.Again);
        flows.Write(context, flow);

        // Without a class to ask for, asking anew is what can be asked for.
        var prompt = hints.Prompt ?? (stepUp is { Acr.Length: 0, MaxAge: null } ? "login" : issuer.Prompt);
        Redirect(context, QueryParameters.Append(
            metadata.AuthorizationEndpoint,
            ("response_type", "code"),
            ("client_id", issuer.ClientId),
            ("redirect_uri", settings.PublicOrigin + CallbackPathOf(issuer, settings)),
            ("scope", issuer.Scope),
            ("state", flow.State),
            ("nonce", flow.Nonce),
            ("code_challenge", flow.Challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", hints.LoginHint),
            ("screen_hint", hints.Screen),
            ("ui_locales", hints.Locales),
            ("prompt", prompt),
            ("acr_values", stepUp is { Acr.Length: > 0 } ? string.Join(' ', stepUp.Acr) : null),
            ("max_age", stepUp?.MaxAge is { } age ? $"{(long)age.TotalSeconds}" : null),
            ("claims", metadata.TakesClaims ? stepUp?.ClaimsParameter : null)));
    }

    private EdgeMessage Choice(string target, SignInHints hints) => new()
    {
        Status = 200,
        Reason = "choose-provider",
        Title = "Sign in",
        Detail = "Choose how to sign in.",
        Actions = [.. providers.All.Select(p => new EdgeAction(
            p.Settings.DisplayName, $"/login?provider={p.Settings.Key}&return={Uri.EscapeDataString(target)}{hints.ToQuery()}"))],
    };
}
