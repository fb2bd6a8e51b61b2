using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Sessions as the account store knows them: what is asked on each request is answered from memory.</summary>
internal sealed class AccountSessionState(IAccountStore accounts) : ISessionState
{
    /// <inheritdoc/>
    public SessionState StandingOf(in SessionKey session) =>
        accounts.Revocations.StandingOf(session.SessionId, new PersonKey(session.Issuer, session.Subject), session.Epoch);

    /// <inheritdoc/>
    public bool IsDisabled(string issuer, string subject) => accounts.Revocations.IsDisabled(new PersonKey(issuer, subject));

    /// <inheritdoc/>
    public bool IsTokenRevoked(Guid token) => accounts.Revocations.IsTokenRevoked(token);

    /// <inheritdoc/>
    public void Touch(in SessionKey session, DateTimeOffset at, DateTimeOffset idleEnd) =>
        accounts.TouchSession(session.SessionId, at, idleEnd);

    /// <inheritdoc/>
    public async ValueTask<DateTimeOffset?> IdleEndAsync(SessionKey session, CancellationToken cancellationToken)
    {
        var all = await accounts.ListSessionsAsync(new PersonKey(session.Issuer, session.Subject), cancellationToken).ConfigureAwait(false);
        return all.FirstOrDefault(s => s.Id == session.SessionId)?.IdleExpiresAt;
    }

    /// <inheritdoc/>
    public void Enter(in SessionKey session, string workspace, DateTimeOffset at) =>
        accounts.EnterWorkspace(session.SessionId, workspace, at);

    /// <inheritdoc/>
    public async ValueTask RevokeAsync(SessionKey session, DateTimeOffset forgetAfter, CancellationToken cancellationToken) =>
        await accounts.RevokeSessionAsync(session.SessionId, forgetAfter, cancellationToken).ConfigureAwait(false);
}

/// <summary>Records sign-ins in the account store.</summary>
internal sealed class AccountSignInRecorder(IAccountStore accounts, CurrentRequest current, EdgeMetrics metrics,
    TimeProvider clock) : ISignInRecorder
{
    /// <inheritdoc/>
    public async ValueTask<SignInRecord> RecordAsync(SignedInPerson person, CancellationToken cancellationToken)
    {
        var key = new PersonKey(person.Issuer, person.Subject);
        SignInOutcome outcome;
        try
        {
            outcome = await accounts.RecordSignInAsync(
                new SignIn
                {
                    Person = key,
                    Email = person.Email,
                    Name = person.Name,
                    SessionId = person.SessionId,
                    ProviderSessionId = person.ProviderSessionId,
                    UserAgent = current.Context?.Request.Headers.UserAgent.ToString(),
                    At = person.At,
                    ExpiresAt = person.ExpiresAt,
                    IdleExpiresAt = person.IdleExpiresAt,
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException error)
        {
            throw new SignInUnavailableException(error.Message, error);
        }

        Audit(key, "session.begin", $"sessions/{person.SessionId}", outcome.Disabled ? "refused" : "allowed");
        return new SignInRecord(outcome.Epoch, outcome.Disabled ? "Your account is disabled. Ask an administrator." : null);
    }

    /// <inheritdoc/>
    public void NoteRefusal(string issuer, string reason, string? subject = null) => Audit(
        subject is null ? null : new PersonKey(issuer, subject), "session.begin", $"issuers/{issuer} {reason}", "refused");

    /// <inheritdoc/>
    public void NoteSignOut(EdgeSession session) =>
        Audit(new PersonKey(session.Issuer, session.Subject), "session.end", $"sessions/{session.Id}", "allowed");

    /// <inheritdoc/>
    public async ValueTask<int> EndAsync(
        string issuer, string? subject, string? providerSessionId, CancellationToken cancellationToken)
    {
        var person = subject is null ? (PersonKey?)null : new PersonKey(issuer, subject);
        int ended;
        try
        {
            ended = providerSessionId is not null
                ? await accounts.RevokeProviderSessionAsync(issuer, providerSessionId, subject, cancellationToken).ConfigureAwait(false)
                : await accounts.RevokeAllSessionsAsync(person!.Value, cancellationToken).ConfigureAwait(false) is null ? 0 : 1;
        }
        catch (AccountsUnavailableException error)
        {
            throw new SignInUnavailableException(error.Message, error);
        }

        if (ended > 0)
        {
            Audit(person, "session.end-by-provider", $"issuers/{issuer} {providerSessionId ?? "all sessions"}", "allowed");
        }

        return ended;
    }

    private void Audit(PersonKey? actor, string action, string target, string outcome)
    {
        accounts.Audit(new AuditEvent
        {
            At = clock.GetUtcNow(),
            Actor = actor,
            Action = action,
            Target = target,
            Outcome = outcome,
            RequestId = current.Context?.TraceIdentifier,
        });
        metrics.Acted(action, outcome);
    }
}
