namespace Berth.Accounts;

/// <summary>
/// The one place where the ends of a session are computed. Pure: no clock, no store, the same answer on every replica.
/// </summary>
/// <remarks>
/// <code>
/// Begin ──use──► use ──use──► …          each use moves the idle end, none moves the absolute end
///   │               └─ Idle without use ─► IdleExpired
///   └─ Absolute since the sign-in ───────► Expired
/// </code>
/// </remarks>
/// <param name="Idle">A session ends this long after its last noted use.</param>
/// <param name="Absolute">A session ends this long after the sign-in, used or not.</param>
public sealed record SessionPolicy(TimeSpan Idle, TimeSpan Absolute)
{
    /// <summary>
    /// How long a use goes unnoted: a sixteenth of the idle time. At most that much is lost of it, and few answers carry a new cookie.
    /// </summary>
    public TimeSpan RenewalInterval => Idle / 16;

    /// <summary>Times of a session that begins now.</summary>
    public SessionTimes Begin(DateTimeOffset now) => new(now, now + Absolute);

    /// <summary>The times after a use; unchanged while the last one is recent enough.</summary>
    public SessionTimes Use(SessionTimes times, DateTimeOffset now) =>
        now - times.UsedAt >= RenewalInterval ? times with { UsedAt = now } : times;

    /// <summary>When it ends if nobody uses it any more; never after the absolute end.</summary>
    public DateTimeOffset IdleEnd(SessionTimes times) => times.UsedAt + Idle < times.ExpiresAt ? times.UsedAt + Idle : times.ExpiresAt;

    /// <summary>
    /// Whether the session may be used now. What somebody decided (<paramref name="standing"/>) is told before what time did, so that a
    /// person who is disabled does not read of a time-out. Ends are exclusive: at the very moment it is over.
    /// </summary>
    /// <param name="times">The session's times.</param>
    /// <param name="standing">What revocations say of it; see <see cref="IRevocations.StandingOf"/>.</param>
    /// <param name="now">Now.</param>
    public SessionState StateOf(SessionTimes times, SessionState standing, DateTimeOffset now) =>
        standing != SessionState.Active ? standing
        : now >= times.ExpiresAt ? SessionState.Expired
        : now >= IdleEnd(times) ? SessionState.IdleExpired
        : SessionState.Active;
}

/// <summary>Times of a session.</summary>
/// <param name="UsedAt">Last noted use; the sign-in at first.</param>
/// <param name="ExpiresAt">Absolute end.</param>
public readonly record struct SessionTimes(DateTimeOffset UsedAt, DateTimeOffset ExpiresAt);

/// <summary>Whether a session may be used, and if not, why.</summary>
public enum SessionState
{
    /// <summary>It may.</summary>
    Active,

    /// <summary>Not used for too long.</summary>
    IdleExpired,

    /// <summary>The sign-in is too long ago.</summary>
    Expired,

    /// <summary>Ended by a sign-out, or by an administrator.</summary>
    Revoked,

    /// <summary>The person signed out everywhere after it began: its epoch is over.</summary>
    Superseded,

    /// <summary>The person may not sign in.</summary>
    Disabled,
}
