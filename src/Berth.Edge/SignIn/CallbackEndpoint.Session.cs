using System.Text.Json;

namespace Berth.Edge;

/// <content>From a verified ID token to a session.</content>
internal sealed partial class CallbackEndpoint
{
    private async Task AdmitAsync(HttpContext context, SignInFlow flow, IdentityProvider provider, ProviderMetadata metadata,
        JwtClaims claims, ExchangedTokens tokens)
    {
        // :: Step 7.
        var issuer = provider.Settings;
        var subject = claims.Payload.Text("sub", 255)!;
        var person = PersonClaims.Read(claims.Payload);
        JsonElement? more = null;
        if ((person.Email is null || person.Name is null || issuer.Rules.Misses(claims.Payload)) && metadata.UserInfoEndpoint is not null
            && tokens.AccessToken is not null)
        {
            (more, var why) = await exchange.UserInfoAsync(metadata, tokens.AccessToken, subject, context.RequestAborted);
            person = more is { } info ? person.Or(PersonClaims.Read(info)) : person;
            if (why is not null)
            {
                SignInLog.NoUserInfo(logger, issuer.Issuer, why);
            }
        }

        // :: Step 8. What is renewed from ID tokens alone is decided by them alone, from the beginning.
        if (issuer.Rules.Check(claims.Payload, issuer.RefreshAfter is null ? more : null) is { } refusal)
        {
            recorder.NoteRefusal(issuer.Issuer, refusal.Reason, subject);
            SignInLog.Refused(logger, refusal.Reason, context.TraceIdentifier);
            await pages.WriteAsync(
                context, RulePages.Refused(settings, issuer, metadata.Prompts, person.Email ?? person.Name ?? subject, refusal));
            return;
        }

        if (issuer.RefreshAfter is not null && tokens.RefreshToken is null)
        {
            await RefuseAsync(context, issuer, SignInProblems.RefreshToken, subject);
            return;
        }

        var proven = issuer.StepUp?.ProvenAt(claims.Payload);
        if (flow.IsStepUp && issuer.StepUp?.Holds(proven, clock.GetUtcNow()) == false)
        {
            await RefuseAsync(context, issuer, SignInProblems.StepUp, subject);
            return;
        }

        await StartSessionAsync(context, flow, issuer, claims, person, proven, tokens);
    }

    private async Task StartSessionAsync(HttpContext context, SignInFlow flow, IssuerSettings issuer, JwtClaims claims,
        PersonClaims person, DateTimeOffset? proven, ExchangedTokens tokens)
    {
        // :: Step 9.
        var now = clock.GetUtcNow();
        var times = settings.Sessions.Begin(now);
        var session = new EdgeSession
        {
            Id = EdgeSession.NewId(),
            Issuer = issuer.Issuer,
            Subject = claims.Payload.Text("sub", 255)!,
            Email = person.Email,
            Name = person.Name,
            ProviderSessionId = claims.Payload.Text("sid", 128),
            IsAdministratorByClaim = Administrators.IsByClaim(issuer, claims.Payload),
            ProvenAt = proven,
            ClaimsAt = issuer.RefreshAfter is null ? null : times.UsedAt,
            NonceHash = issuer.RefreshAfter is null ? null : IdTokenVerifier.HashOfNonce(flow.Nonce),
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
                    Subject = session.Subject,
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
            if (record.Refused is null && session.ClaimsAt is not null)
            {
                await sessionTokens.StoreAsync(session, issuer, tokens.RefreshToken!, tokens.IdToken, context.RequestAborted);
            }
        }
        catch (SignInUnavailableException e)
        {
            SignInLog.StoreUnavailable(logger, e);
            context.Response.Headers.RetryAfter = "30";
            await FailAsync(context, SignInProblems.Store);
            return;
        }

        if (record.Refused is not null)
        {
            SignInLog.Refused(logger, "refused", context.TraceIdentifier);
            await pages.WriteAsync(context, new EdgeMessage
            {
                Status = 403,
                Reason = "refused",
                Title = "You may not use this service",
                Detail = $"{record.Refused} Nothing was changed: workspaces and files are as they were.",
                Actions = [new EdgeAction("Sign in as somebody else", $"{settings.PublicOrigin}/login?provider={issuer.Key}&prompt=login")],
            });
            return;
        }

        // :: Step 10. Whatever session the browser brought ends here; nothing of it goes on.
        if (context.State().Session is { } old)
        {
            await RevokeAsync(old);
        }

        cookies.Write(context, context.GetCanonical(), session with { Epoch = record.Epoch });
        SignInLog.SignedIn(logger, session.Issuer, session.Subject, session.Id);
        LoginEndpoint.Redirect(context, flow.ReturnTo);
    }

    private async Task RevokeAsync(EdgeSession old)
    {
        if (old.ClaimsAt is not null)
        {
            sessionTokens.Forget(old);
        }

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
}
