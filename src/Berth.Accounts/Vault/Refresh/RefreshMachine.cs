namespace Berth.Accounts;

/// <summary>What to do next for somebody who wants an access token.</summary>
internal enum RefreshStepKind
{
    /// <summary>Give the access token of the row.</summary>
    Serve,

    /// <summary>There is no row for this person.</summary>
    NotFound,

    /// <summary>It is over; the cause is in the step.</summary>
    NeedsConsent,

    /// <summary>It was revoked.</summary>
    Revoked,

    /// <summary>Somebody else refreshes: wait for news, at most so long, and read the row again.</summary>
    Wait,

    /// <summary>Take the lease and ask the provider.</summary>
    Refresh,
}

/// <summary>A step.</summary>
internal readonly record struct RefreshStep(RefreshStepKind Kind, TimeSpan Wait = default, ReconsentCause Cause = ReconsentCause.None);

/// <summary>What to do with an answer of the provider.</summary>
internal enum AnswerStep
{
    /// <summary>Commit the tokens, then give the access token.</summary>
    Commit,

    /// <summary>Read the row again: either a sibling has changed it, or it is over.</summary>
    Reread,

    /// <summary>Try again later; the token is as it was before the attempt.</summary>
    BackOff,

    /// <summary>Try again later; the provider may have done it, so the attempt's mark stays.</summary>
    BackOffUnanswered,

    /// <summary>Nothing that time heals: configuration. Tried again later all the same, in case somebody corrects it.</summary>
    Complain,
}

/// <summary>
/// The rules of a refresh, without anything that acts. States are rows, events are reads of them and answers of the provider.
/// </summary>
/// <remarks>
/// <code>
///            read                 lease taken                  tokens -> committed
///  active ---------> (Refresh) -----------------> (asking) -----------------------------> active, version + 1
///    ^  |                                             | invalid_grant, row unchanged ---> needs-consent (refused | rotation-lost)
///    |  '-- lease of another: Wait, read again        | 429, not reached ---------------> active, back-off
///    |                                                | 5xx, no answer -----------------> active, back-off, marked unanswered
/// | | crash --------------------------> lease runs out, marked unanswered, interrupted + 1
///    |                                                '- row revoked meanwhile ---------> revoked; the new tokens are revoked upstream
///    '-- interrupted twice in a row: needs-consent (interrupted), the provider is not asked
/// </code>
/// </remarks>
internal static class RefreshMachine
{
    /// <summary>
    /// Holders of the lease that may crash in a row: one retry, which works where the provider allows a reuse, and no loop.
    /// </summary>
    public const int MostInterruptions = 2;

    /// <summary>An access token is not given out in its last minute or tenth, whichever is less: it has to survive the way.</summary>
    public static TimeSpan Margin(TimeSpan lifetime) => TimeSpan.FromTicks(Math.Min(TimeSpan.FromSeconds(60).Ticks, lifetime.Ticks / 10));

    /// <summary>
    /// What an access token has to last yet. Nine tenths of a life are the most that can be asked for: else each call would be a refresh.
    /// </summary>
    public static TimeSpan Needed(TimeSpan lifetime, TimeSpan minimum)
    {
        var margin = Margin(lifetime);
        var wanted = minimum.Ticks < lifetime.Ticks / 10 * 9 ? minimum : TimeSpan.FromTicks(lifetime.Ticks / 10 * 9);
        return wanted > margin ? wanted : margin;
    }

    /// <summary>Decides by a row that was just read.</summary>
    /// <param name="row">The row; null when there is none.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">What for.</param>
    /// <param name="firstVersion">Version at the first read of this caller: a forced refresh is one after that.</param>
    /// <param name="connection">The row's connection as it is configured now.</param>
    /// <param name="forcedInterval">A younger token than this is not refreshed by force.</param>
    public static RefreshStep Next(
        VaultRow? row, PersonKey caller, in AccessTokenRequest request, long firstVersion, VaultConnection? connection,
        TimeSpan forcedInterval)
    {
        if (row is null || row.Owner != caller)
        {
            return new RefreshStep(RefreshStepKind.NotFound);
        }

        if (row.State == StoredTokenState.Revoked)
        {
            return new RefreshStep(RefreshStepKind.Revoked);
        }

        if (row.State == StoredTokenState.NeedsConsent)
        {
            return new RefreshStep(RefreshStepKind.NeedsConsent, Cause: row.Cause);
        }

        if (connection is null || connection.Issuer != row.Issuer || connection.ClientId != row.ClientId)
        {
            return new RefreshStep(RefreshStepKind.NeedsConsent, Cause: ReconsentCause.ConnectionChanged);
        }

        if (IsServable(row, request, firstVersion, forcedInterval))
        {
            return new RefreshStep(RefreshStepKind.Serve);
        }

        return row.LeaseRemaining is { } left ? new RefreshStep(RefreshStepKind.Wait, left) : new RefreshStep(RefreshStepKind.Refresh);
    }

    /// <summary>Decides by an answer.</summary>
    public static AnswerStep After(TokenAnswerKind answer) => answer switch
    {
        TokenAnswerKind.Tokens => AnswerStep.Commit,
        TokenAnswerKind.InvalidGrant => AnswerStep.Reread,
        TokenAnswerKind.NotDone => AnswerStep.BackOff,
        TokenAnswerKind.Unknown => AnswerStep.BackOffUnanswered,
        _ => AnswerStep.Complain,
    };

    /// <summary>Why a token that the provider refuses has ended: after a lost answer, it was the provider who replaced it.</summary>
    public static ReconsentCause CauseOfRefusal(VaultLease lease) =>
        lease.Unanswered ? ReconsentCause.RotationLost : ReconsentCause.Refused;

    /// <summary>Life of an access token: as told, else as it says itself, else the connection's default.</summary>
    public static TimeSpan Lifetime(TimeSpan? told, Secret? accessToken, VaultConnection connection, DateTimeOffset now) =>
        told ?? (accessToken is null ? null : JwtLife.Of(accessToken.Bytes, now)) ?? connection.DefaultTokenLifetime;

    private static bool IsServable(VaultRow row, in AccessTokenRequest request, long firstVersion, TimeSpan forcedInterval)
    {
        if (row.AccessToken is null || row.AccessRemaining is not { } remaining || remaining <= TimeSpan.Zero)
        {
            return false;
        }

        var refused = request.Rejected > 0 ? request.Rejected : firstVersion;
        if (request.ForceRefresh && row.Version <= refused && row.SinceRefresh >= forcedInterval)
        {
            return false;
        }

        // A clock of the database that was set back shows as a token that lasts longer than it ever did.
        return remaining <= row.AccessLifetime + TimeSpan.FromSeconds(1) && remaining > Needed(row.AccessLifetime, request.MinimumLifetime);
    }
}
