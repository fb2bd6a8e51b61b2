namespace Berth.Edge;

/// <summary>GET /auth/callback, or /auth/callback/PROVIDER where there are several: the provider's answer.</summary>
/// <remarks>
/// <code>
/// 1 parameters once each -> 2 state names a flow of this browser (used up here) -> 3 path, iss -> 4 error of the provider
/// -> 5 code exchanged -> 6 ID token verified -> 7 userinfo where something is missing -> 8 rules, step-up -> 9 person recorded
/// -> 10 new session
/// </code>
/// Nothing leaves the edge before step 5, and step 2 comes before everything that depends on who sent the browser here.
/// Every way to fail has words of its own: <see cref="SignInProblems"/>.
/// </remarks>
internal sealed partial class CallbackEndpoint(
    EdgeSettings settings,
    IdentityProviders providers,
    SignInFlowCookies flows,
    SessionCookies cookies,
    CodeExchange exchange,
    ISignInRecorder recorder,
    ISessionState state,
    ISessionTokens sessionTokens,
    ReturnTargets targets,
    IEdgePages pages,
    TimeProvider clock,
    ILogger<CallbackEndpoint> logger)
{
    private const int MaximumCode = 4096;

    /// <summary>Answers the request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        // :: Step 1. Tokens in the query would mean a response mode that was never asked for.
        var query = context.Request.Query;
        if (!QueryParameters.TrySingle(query, "state", 256, out var stateText)
            || !QueryParameters.TrySingle(query, "code", MaximumCode, out var code)
            || !QueryParameters.TrySingle(query, "iss", 2048, out var iss) || !QueryParameters.TrySingle(query, "error", 256, out var error)
            || query["error_description"].Count > 1 || query.ContainsKey("id_token") || query.ContainsKey("access_token"))
        {
            await FailAsync(context, SignInProblems.Parameters);
            return;
        }

        // :: Step 2.
        var isState = SignInFlow.IsState(stateText);
        var target = isState ? flows.TargetOf(context, stateText!) : null;
        var flow = isState ? flows.Take(context, stateText!) : null;
        if (flow is null || providers.ByKey(flow.Provider) is not { } provider)
        {
            await NoFlowAsync(context, target, isAgain: SignInFlow.IsAgain(stateText));
            return;
        }

        ProviderSnapshot snapshot;
        try
        {
            snapshot = await provider.GetAsync(context.RequestAborted);
        }
        catch (ProviderUnavailableException e)
        {
            SignInLog.ExchangeFailed(logger, provider.Settings.Issuer, e.Message, context.TraceIdentifier);
            await FailAsync(context, SignInProblems.ProviderUnavailable);
            return;
        }

        // :: Step 3 (RFC 9207; RFC 9700, 4.4.2).
        if (context.GetCanonical().Path != LoginEndpoint.CallbackPathOf(provider.Settings, settings)
            || (iss is null ? snapshot.Metadata.SendsIssuer : iss != provider.Settings.Issuer))
        {
            await RefuseAsync(context, provider.Settings, SignInProblems.Issuer);
            return;
        }

        // :: Step 4.
        if (error is not null || code is null)
        {
            SignInLog.ProviderError(
                logger, provider.Settings.Issuer, QueryParameters.ForLog(error) ?? "none",
                    QueryParameters.ForLog(query["error_description"]) ?? "", context.TraceIdentifier);
            await RefuseAsync(context, provider.Settings, SignInProblems.OfProvider(error));
            return;
        }

        await CompleteAsync(context, flow, provider, snapshot, code);
    }

    private async Task CompleteAsync(HttpContext context, SignInFlow flow, IdentityProvider provider, ProviderSnapshot snapshot,
        string code)
    {
        // :: Step 5.
        ExchangedTokens tokens;
        try
        {
            tokens = await exchange.ExchangeAsync(
                provider.Settings, snapshot.Metadata, code, flow.Verifier,
                settings.PublicOrigin + LoginEndpoint.CallbackPathOf(provider.Settings, settings), context.RequestAborted);
        }
        catch (ProviderUnavailableException e)
        {
            SignInLog.ExchangeFailed(logger, provider.Settings.Issuer, e.Message, context.TraceIdentifier);
            await RefuseAsync(context, provider.Settings, e.IsAboutUs ? SignInProblems.Client : SignInProblems.Exchange);
            return;
        }

        // :: Step 6. One more try with fresh keys when the provider has just begun to sign with a new one.
        var problem = IdTokenVerifier.Verify(
            tokens.IdToken, provider.Settings, snapshot.Keys, flow.Nonce, tokens.AccessToken, clock.GetUtcNow(), out var claims);
        if (problem == TokenError.UnknownKey)
        {
            var fresh = await provider.KeysAfterMissAsync(context.RequestAborted);
            problem = IdTokenVerifier.Verify(tokens.IdToken, provider.Settings, fresh, flow.Nonce, tokens.AccessToken, clock.GetUtcNow(),
                out claims);
        }

        if (claims is null)
        {
            SignInLog.IdTokenRefused(logger, provider.Settings.Issuer, problem, context.TraceIdentifier);
            await RefuseAsync(context, provider.Settings, SignInProblems.OfIdToken(problem, tokens.IdToken, clock.GetUtcNow()));
            return;
        }

        await AdmitAsync(context, flow, provider, snapshot.Metadata, claims, tokens);
    }

    // A second callback of one flow (back button, a restored tab) is no accident worth a fright when the person is signed in: they go on to
    // where it was to lead. Somebody who is not signed in gets one new sign-in by itself, with a page that says why.
    private Task NoFlowAsync(HttpContext context, string? target, bool isAgain)
    {
        if (context.GetCaller() is { Kind: CallerKind.Session })
        {
            // Cleaned once more: workspaces come and go.
            LoginEndpoint.Redirect(context, targets.Clean(target));
            return Task.CompletedTask;
        }

        if (isAgain || !context.GetCanonical().IsNavigation)
        {
            return FailAsync(context, isAgain ? SignInProblems.NoFlowAgain : SignInProblems.NoFlow);
        }

        // Time to read why; and not a redirect, so that whoever planted the answer cannot begin a sign-in without a word.
        context.Response.Headers["Refresh"] = $"5;url=/login?again=1&return={Uri.EscapeDataString(targets.Clean(target))}";
        return FailAsync(context, SignInProblems.NoFlow);
    }

    private Task RefuseAsync(HttpContext context, IssuerSettings issuer, SignInProblem problem, string? subject = null)
    {
        recorder.NoteRefusal(issuer.Issuer, problem.Reason, subject);
        return FailAsync(context, problem);
    }

    private Task FailAsync(HttpContext context, SignInProblem problem)
    {
        SignInLog.Refused(logger, problem.Reason, context.TraceIdentifier);
        return pages.WriteAsync(context, problem.ToMessage(settings));
    }
}
