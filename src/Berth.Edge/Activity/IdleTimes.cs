using Berth.Resources;

namespace Berth.Edge;

/// <summary>How often use has to be written so that the operator is never far behind; pure functions.</summary>
internal static class IdleTimes
{
    /// <summary>Idle time-out where nobody says one; the operator's own default.</summary>
    public const long DefaultSeconds = 1800;

    // A workspace that never stops for lack of use still shows when it was used: once an hour, as if its time-out were six.
    private const long NeverSeconds = 6 * 3600;

    private const int WritesPerTimeout = 6;

    /// <summary>The time-out in effect: the workspace's, the template's or the policy's, within its bound; null for never.</summary>
    public static TimeSpan? Timeout(UserWorkspace workspace, WorkspaceTemplate? template, PolicyLifetime? policy)
    {
        var wished = workspace.Spec.Lifetime?.IdleTimeoutSeconds ?? template?.Spec.Lifetime?.IdleTimeoutSeconds
            ?? policy?.IdleTimeoutSeconds ?? DefaultSeconds;
        var seconds = policy?.MaxIdleTimeoutSeconds is not { } most ? wished : wished == 0 ? most : Math.Min(wished, most);
        return seconds <= 0 ? null : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>
    /// How far use has to move before it is written again: a sixth of the time-out. The operator then announces a stop a sixth too early at
    /// worst, and the announcement brings out the rest.
    /// </summary>
    public static TimeSpan Step(TimeSpan? timeout) => (timeout ?? TimeSpan.FromSeconds(NeverSeconds)) / WritesPerTimeout;

    /// <summary>
    /// The least time between two writes of use under an announcement that stays: where the warning is as long as the time-out, each use
    /// comes under one.
    /// </summary>
    public static TimeSpan Throttle(TimeSpan? timeout) =>
        TimeSpan.FromSeconds(Math.Clamp((timeout ?? TimeSpan.FromSeconds(NeverSeconds)).TotalSeconds / 60, 1, EdgeLeases.RenewSeconds));
}
