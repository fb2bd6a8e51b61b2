namespace Berth.Edge;

/// <summary>/logout: GET asks, POST does it.</summary>
/// <remarks>
/// The local session dies first, here and on every workspace host (same session id), and its open connections with it. Then the browser
/// goes to the provider's end_session_endpoint with client_id and logout_hint, and with id_token_hint where sessions are renewed, since
/// then the vault has the ID token. Elsewhere it would have to be in a cookie (too long, and a token in the browser); providers must work
/// without it, at most they ask the person once more. Logging out waits a second for it and goes on without.
/// </remarks>
internal sealed class LogoutEndpoint(
    EdgeSettings settings,
    IdentityProviders providers,
    SessionCookies cookies,
    ISessionState state,
    ISignInRecorder recorder,
    ISessionTokens sessionTokens,
    TimeProvider clock,
    IOpenConnections connections,
    IEdgePages pages,
    ILogger<LogoutEndpoint> logger)
{
    /// <summary>GET: a page with a button, since a link from anywhere must not sign a person out.</summary>
    public Task AskAsync(HttpContext context) => pages.WriteAsync(context, new EdgeMessage
    {
        Status = 200,
        Reason = "sign-out",
        Title = "Sign out?",
        Detail = context.GetCaller() is { } caller
            ? $"You are signed in as {caller.DisplayName}. Your workspace keeps running." : "You are not signed in.",
        Actions = context.GetCaller() is null
            ? [new EdgeAction("Go back", "/")] : [new EdgeAction("Sign out", "/logout", Post: true), new EdgeAction("Go back", "/")],
    });

    /// <summary>POST, after the same-origin check.</summary>
    public async Task DoAsync(HttpContext context)
    {
        var canonical = context.GetCanonical();
        var session = context.State().Session;
        cookies.Delete(context, canonical);
        foreach (var flow in CookieHeader.NamesWith(context.Request.Headers, cookies.Names.FlowPrefix).Distinct(StringComparer.Ordinal)
            .Take(50).ToList())
        {
            cookies.Delete(context, flow);
        }

        string? providerUrl = null;
        if (session is not null)
        {
            await RevokeAsync(session);
            recorder.NoteSignOut(session);
            SignInLog.SignedOut(logger, session.Id, connections.CutSession(session.Id));
            providerUrl = EndSessionUrl(session, await HintAsync(session));
        }

        context.Response.Headers.CacheControl = "no-store";
        if (!RequestKinds.WantsHtml(context))
        {
            await context.Response.WriteAsJsonAsync(new { signedOut = true, providerLogoutUrl = providerUrl }, context.RequestAborted);
            return;
        }

        if (providerUrl is not null)
        {
            // Not a redirect: a page whose form-action is 'self' may not be redirected to another origin from its form.
            context.Response.Headers["Refresh"] = "0;url=" + providerUrl;
        }

        await pages.WriteAsync(context, new EdgeMessage
        {
            Status = 200,
            Reason = "signed-out",
            Title = "You are signed out",
            Detail = providerUrl is null
                ? "Your workspace keeps running." : "Your workspace keeps running. One moment: the identity provider is told too.",
            Actions = [new EdgeAction(providerUrl is null ? "Go to the start page" : "Continue", providerUrl ?? "/")],
        });
    }

    private async Task RevokeAsync(EdgeSession session)
    {
        try
        {
            await state.RevokeAsync(session.Key, session.ExpiresAt, CancellationToken.None);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            SignInLog.NotRevoked(logger, e, session.Id);
        }
    }

    private async Task<string?> HintAsync(EdgeSession session)
    {
        if (session.ClaimsAt is null)
        {
            return null;
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), clock);
        try
        {
            // A longer one would make an address that proxies refuse.
            return await sessionTokens.FindHintAsync(session, limit.Token).WaitAsync(limit.Token) is { Length: <= 4096 } hint ? hint : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            sessionTokens.Forget(session);
        }
    }

    private string? EndSessionUrl(EdgeSession session, string? hint)
    {
        var provider = providers.ByIssuer(session.Issuer);
        return provider?.Current?.Metadata.EndSessionEndpoint is { } endpoint
            ? QueryParameters.Append(
                endpoint,
                ("client_id", provider.Settings.ClientId),
                ("id_token_hint", hint),
                ("logout_hint", session.ProviderSessionId ?? session.Email ?? session.Subject),
                ("post_logout_redirect_uri", settings.PublicOrigin + "/"))
            : null;
    }
}
