namespace Berth.Edge;

/// <summary>GET /auth/callback, or /auth/callback/PROVIDER where there are several: the provider's answer.</summary>
/// <remarks>
/// <code>
/// 1 parameters once each -> 2 state names a flow of this browser (used up here) -> 3 path, iss -> 4 error of the provider
/// -> 5 code exchanged -> 6 ID token verified -> 7 userinfo where something is missing -> 8 person recorded -> 9 new session
/// </code>
/// Nothing leaves the edge before step 5, and step 2 comes before everything that depends on who sent the browser here.
/// </remarks>
internal sealed class CallbackEndpoint(
    EdgeSettings settings,
    IdentityProviders providers,
    SignInFlowCookies flows,
    SessionCookies cookies,
    CodeExchange exchange,
    ISignInRecorder recorder,
    ISessionState state,
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
            await FailAsync(context, "callback-parameters", "The identity provider's answer cannot be read. Start again.");
            return;
        }

        // :: Step 2.
        var flow = SignInFlow.IsState(stateText) ? flows.Take(context, stateText!) : null;
        if (flow is null || providers.ByKey(flow.Provider) is not { } provider)
        {
            await NoFlowAsync(context);
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
            await FailAsync(context, "provider-unavailable", "The identity provider does not answer right now. Try again in a moment.",
                503);
            return;
        }

        // :: Step 3 (RFC 9207; RFC 9700, 4.4.2).
        if (context.GetCanonical().Path != LoginEndpoint.CallbackPathOf(provider.Settings, settings)
            || (iss is null ? snapshot.Metadata.SendsIssuer : iss != provider.Settings.Issuer))
        {
            await RefuseAsync(context, provider.Settings, "issuer-mismatch",
                "The answer did not come from the provider that was asked. Start again.");
            return;
        }

        // :: Step 4.
        if (error is not null || code is null)
        {
            SignInLog.ProviderError(
                logger, provider.Settings.Issuer, QueryParameters.ForLog(error) ?? "none",
                    QueryParameters.ForLog(query["error_description"]) ?? "", context.TraceIdentifier);
            await RefuseAsync(context, provider.Settings, error == "access_denied" ? "access-denied" : "provider-error", Explain(error));
            return;
        }

        await CompleteAsync(context, flow, provider, snapshot, code);
    }

    private static string Explain(string? error) => error switch
    {
        "access_denied" => "The sign-in was cancelled, or the provider did not allow it.",
        "login_required" or "interaction_required" or "consent_required" or "account_selection_required" =>
            "The provider wants to ask something first. Sign in again.",
        "temporarily_unavailable" or "server_error" => "The identity provider has a problem right now. Try again in a moment.",
        _ => "The identity provider refused the sign-in. If this happens again, tell an administrator the request id below.",
    };

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
            await RefuseAsync(context, provider.Settings, "code-exchange", "The identity provider did not confirm the sign-in. Try again.",
                502);
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
            await RefuseAsync(context, provider.Settings, "id-token", "The identity provider's answer could not be verified. Start again.");
            return;
        }

        // :: Step 7.
        var subject = claims.Payload.Text("sub", 255)!;
        var person = PersonClaims.Read(claims.Payload);
        if ((person.Email is null || person.Name is null) && snapshot.Metadata.UserInfoEndpoint is not null
            && tokens.AccessToken is not null)
        {
            var (more, why) = await exchange.UserInfoAsync(snapshot.Metadata, tokens.AccessToken, subject, context.RequestAborted);
            person = more is null ? person : person.Or(more);
            if (why is not null)
            {
                SignInLog.NoUserInfo(logger, provider.Settings.Issuer, why);
            }
        }

        await StartSessionAsync(context, flow, provider.Settings, claims, subject, person);
    }

    private async Task StartSessionAsync(
        HttpContext context, SignInFlow flow, IssuerSettings issuer, JwtClaims claims, string subject, PersonClaims person)
    {
        // :: Step 8.
        var now = clock.GetUtcNow();
        var times = settings.Sessions.Begin(now);
        var session = new EdgeSession
        {
            Id = EdgeSession.NewId(),
            Issuer = issuer.Issuer,
            Subject = subject,
            Email = person.Email,
            Name = person.Name,
            ProviderSessionId = claims.Payload.Text("sid", 128),
            IsAdministratorByClaim = IsAdministrator(issuer, claims),
            RenewedAt = times.UsedAt,
            ExpiresAt = times.ExpiresAt,
            Epoch = 0,
        };
        SignInRecord record;
        try
        {
            record = await recorder.RecordAsync(
                new SignedInPerson
                {
                    Issuer = session.Issuer,
                    Subject = subject,
                    Email = person.Email,
                    EmailVerified = person.EmailVerified,
                    Name = person.Name,
                    SessionId = session.Id,
                    ProviderSessionId = session.ProviderSessionId,
                    At = now,
                    ExpiresAt = session.ExpiresAt,
                    IdleExpiresAt = settings.Sessions.IdleEnd(times),
                },
                context.RequestAborted);
        }
        catch (SignInUnavailableException e)
        {
            SignInLog.StoreUnavailable(logger, e);
            context.Response.Headers.RetryAfter = "30";
            await pages.WriteAsync(context, EdgeMessages.Maintenance());
            return;
        }

        if (record.Refused is not null)
        {
            await FailAsync(context, "refused", record.Refused, 403);
            return;
        }

        // :: Step 9. Whatever session the browser brought ends here; nothing of it goes on.
        if (context.Features.Get<EdgeSession>() is { } old)
        {
            await RevokeAsync(old);
        }

        cookies.Write(context, context.GetCanonical(), session with { Epoch = record.Epoch });
        SignInLog.SignedIn(logger, session.Issuer, session.Subject, session.Id);
        LoginEndpoint.Redirect(context, flow.ReturnTo);
    }

    private static bool IsAdministrator(IssuerSettings issuer, JwtClaims claims) =>
        issuer.AdministratorClaim is not null && claims.Payload.Texts(issuer.AdministratorClaim).Contains(issuer.AdministratorClaimValue);

    private async Task RevokeAsync(EdgeSession old)
    {
        try
        {
            await state.RevokeAsync(old.Key, old.ExpiresAt, CancellationToken.None);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The new session must not fail because the old one could not be written off; its cookie is replaced in any case.
            SignInLog.NotRevoked(logger, e, old.Id);
        }
    }

    // A second callback of one flow (back button, a restored tab) is no accident worth a fright when the person is signed in.
    private Task NoFlowAsync(HttpContext context)
    {
        if (context.GetCaller() is { Kind: CallerKind.Session })
        {
            LoginEndpoint.Redirect(context, "/");
            return Task.CompletedTask;
        }

        return FailAsync(context, "no-flow",
            "This sign-in was not started in this browser, was finished already, or took longer than ten minutes.");
    }

    private Task RefuseAsync(HttpContext context, IssuerSettings issuer, string reason, string detail, int status = 400)
    {
        recorder.NoteRefusal(issuer.Issuer, reason);
        return FailAsync(context, reason, detail, status);
    }

    private Task FailAsync(HttpContext context, string reason, string detail, int status = 400)
    {
        SignInLog.Refused(logger, reason, context.TraceIdentifier);
        return pages.WriteAsync(context, EdgeMessages.SignInFailed(reason, detail, settings, status));
    }
}
