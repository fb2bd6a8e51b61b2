using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// What is known about a session beyond its cookie: revocations, which reach every replica. Asked on every request, so from memory.
/// </summary>
/// <remarks>The default implementation (<see cref="InMemorySessionState"/>) holds revocations of this process only.</remarks>
internal interface ISessionState
{
    /// <summary>
    /// Whether the session may still be used: not revoked by id, and its epoch not below the person's. Never blocks, never throws.
    /// </summary>
    bool IsLive(in SessionKey session) => StandingOf(session) == SessionState.Active;

    /// <summary>What somebody decided about the session; times are not looked at. Never blocks, never throws.</summary>
    SessionState StandingOf(in SessionKey session);

    /// <summary>Whether a person may not sign in, and so may not come with a token either. Never blocks, never throws.</summary>
    bool IsDisabled(string issuer, string subject);

    /// <summary>Whether a personal access token was revoked. Never blocks, never throws.</summary>
    bool IsTokenRevoked(Guid token) => false;

    /// <summary>
    /// Notes that the session was used and its cookie renewed; called at most once per renewal interval of a session, not on each request.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="at">When.</param>
    /// <param name="idleEnd">When it ends if it is not used again.</param>
    void Touch(in SessionKey session, DateTimeOffset at, DateTimeOffset idleEnd);

    /// <summary>
    /// When the session ends if nobody uses it any more, by what all replicas noted. For the few who come with an older time: may ask a
    /// database.
    /// </summary>
    /// <returns>Null when nothing is known of the session, or it has ended.</returns>
    /// <exception cref="AccountsUnavailableException">It cannot be asked now.</exception>
    ValueTask<DateTimeOffset?> IdleEndAsync(SessionKey session, CancellationToken cancellationToken) => new((DateTimeOffset?)null);

    /// <summary>Notes that the session went into a workspace.</summary>
    void Enter(in SessionKey session, string workspace, DateTimeOffset at);

    /// <summary>Ends one session everywhere (logout). After it returns, <see cref="IsLive"/> is false at least in this process.</summary>
    /// <param name="session">The session to end.</param>
    /// <param name="forgetAfter">After this time the cookie is expired anyway and the entry may be dropped.</param>
    /// <param name="cancellationToken">Cancels the wait, not necessarily the revocation.</param>
    ValueTask RevokeAsync(SessionKey session, DateTimeOffset forgetAfter, CancellationToken cancellationToken);
}

/// <summary>Identifies a session towards <see cref="ISessionState"/>.</summary>
/// <param name="SessionId">Random id, 22 base64url characters.</param>
/// <param name="Issuer">Issuer of the person.</param>
/// <param name="Subject">Subject of the person.</param>
/// <param name="Epoch">The person's revocation epoch at sign-in; a higher one ends all earlier sessions.</param>
internal readonly record struct SessionKey(string SessionId, string Issuer, string Subject, long Epoch);
