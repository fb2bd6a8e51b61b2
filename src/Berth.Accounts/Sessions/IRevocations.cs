namespace Berth.Accounts;

/// <summary>What has been revoked, from memory: asked on every request. Never blocks, never throws.</summary>
public interface IRevocations
{
    /// <summary>Whether a session must not be used any more: <see cref="StandingOf"/> says something else than active.</summary>
    bool IsRevoked(string sessionId, PersonKey person, long epoch) => StandingOf(sessionId, person, epoch) != SessionState.Active;

    /// <summary>
    /// What somebody decided about a session: <see cref="SessionState.Disabled"/>, <see cref="SessionState.Revoked"/>,
    /// <see cref="SessionState.Superseded"/>, or <see cref="SessionState.Active"/> when nobody did.
    /// </summary>
    SessionState StandingOf(string sessionId, PersonKey person, long epoch);

    /// <summary>Whether a person may not sign in; for callers that have no session, such as a program with a bearer token.</summary>
    bool IsDisabled(PersonKey person);

    /// <summary>Whether a personal access token was revoked.</summary>
    bool IsTokenRevoked(Guid token);

    /// <summary>
    /// Whether revocations of other replicas arrive now. While the database is away it is false and what is known goes on being used; on
    /// reconnection everything missed is read.
    /// </summary>
    bool IsCurrent { get; }

    /// <summary>Raised on the thread that learns of it, after the table has changed. Handlers must be quick and must not throw.</summary>
    event Action<Revocation>? Revoked;
}

/// <summary>
/// One revocation: of a session (<paramref name="SessionId"/>), of all sessions of a person (<paramref name="Person"/>) or of a personal
/// access token (<paramref name="PersonalToken"/>).
/// </summary>
/// <param name="SessionId">The session, or null.</param>
/// <param name="Person">The person, or null.</param>
/// <param name="PersonalToken">Id of the token, or null.</param>
public readonly record struct Revocation(string? SessionId, PersonKey? Person, Guid? PersonalToken = null);
