using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>What an answer of the application comes to.</summary>
/// <param name="AskedAt">When it was asked.</param>
/// <param name="LastUse">Its last use as it says; null when it says there was none, or none lately.</param>
internal readonly record struct ProbeResult(DateTimeOffset AskedAt, DateTimeOffset? LastUse);

/// <summary>
/// What has to be written of the use of a workspace, and when its application has to be asked; pure functions. Times of the status are
/// whole seconds, so everything is compared in whole seconds, cut.
/// </summary>
internal static class ActivityPlan
{
    /// <summary>How long before a stop the application is asked a second time.</summary>
    private static readonly TimeSpan LastCall = TimeSpan.FromSeconds(30);

    /// <summary>Whether a stop is announced that use can avert; the end of the longest run cannot be averted.</summary>
    public static bool IsAnnounced(UserWorkspace workspace) =>
        workspace.Status?.Activity is { StopsAt: not null } activity && activity.StopReason != StopReasons.MaxRun;

    /// <summary>The use to write; null when what stands there is good enough.</summary>
    /// <param name="workspace">As it stands.</param>
    /// <param name="known">The last use that this replica has seen.</param>
    /// <param name="step">How far it has to move.</param>
    /// <param name="everything">Write what moved at all: the replica ends, and what it knows with it.</param>
    public static KnownUse? ToWrite(UserWorkspace workspace, KnownUse? known, TimeSpan step, bool everything)
    {
        if (known is not { } use)
        {
            return null;
        }

        use = use with { At = WholeSeconds(use.At) };
        if (workspace.Status?.Activity?.Last is not { } written)
        {
            return use;
        }

        var moved = use.At - WholeSeconds(written);
        return moved > TimeSpan.Zero && (everything || moved >= step || IsAnnounced(workspace)) ? use : null;
    }

    /// <summary>Whether the application has to be asked now: after the announcement of its stop, and once more just before.</summary>
    public static bool HasToAsk(UserWorkspace workspace, WorkspaceTemplate? template, DateTimeOffset now)
    {
        if (template?.Spec.Activity?.Probe is null || !IsAnnounced(workspace)
            || workspace.Status?.Activity is not { StopsAt: { } stopsAt, AnnouncedAt: { } announcedAt } activity)
        {
            return false;
        }

        // Within the second of the announcement it cannot be told whether the answer was given before it.
        return WholeSeconds(now) > announcedAt
            && (activity.ProbedAt is not { } probed || probed <= announcedAt || (now >= stopsAt - LastCall && probed < stopsAt - LastCall));
    }

    /// <summary>The patch of the status; null when nothing is to be written.</summary>
    public static JsonObject? Patch(UserWorkspace workspace, KnownUse? known, ProbeResult? probe, TimeSpan step, bool everything,
        DateTimeOffset now)
    {
        var write = ToWrite(workspace, known, step, everything);
        if (probe is { LastUse: { } said } && (write is null || said > write.Value.At)
            && ToWrite(workspace, new KnownUse(said, UseSource.Application), TimeSpan.Zero, everything: true) is { } application)
        {
            write = application;
        }

        if (write is null && probe is null)
        {
            return null;
        }

        var activity = new JsonObject { ["observedAt"] = Text(now) };
        if (write is { } use)
        {
            activity["last"] = Text(use.At);
            activity["source"] = use.Source.ToString();
        }

        if (probe is { } asked)
        {
            activity["probedAt"] = Text(asked.AskedAt);
        }

        return new JsonObject { ["status"] = new JsonObject { ["activity"] = activity } };
    }

    /// <summary>RFC 3339 in UTC, whole seconds, cut.</summary>
    public static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The time without its fraction.</summary>
    public static DateTimeOffset WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
