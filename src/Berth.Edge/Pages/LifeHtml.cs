using System.Globalization;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>A workspace's life on the dashboard: place in the queue, the stop to come, what keeps it running; pure functions.</summary>
internal static class LifeHtml
{
    /// <summary>Lines below a workspace's heading; empty when there is nothing to say.</summary>
    public static Html Of(WorkspaceView workspace, string csrf, DateTimeOffset now) =>
        Html.Join([Queue(workspace.Queue), Stop(workspace, csrf, now), Kept(workspace, csrf, now)]);

    /// <summary>The place in the queue in words; null when it does not wait.</summary>
    public static string? QueueText(WorkspaceQueuePlace? queue) => queue is not { Position: { } position } ? null
        : queue.Length is { } length && length >= position ? $"Number {position} of {length} in the queue."
        : $"Number {position} in the queue.";

    /// <summary>A time of day in UTC, which the script shows in the person's own zone; with its date when that is not today.</summary>
    public static Html Time(DateTimeOffset time, DateTimeOffset now)
    {
        var utc = time.UtcDateTime;
        var text = utc.ToString(utc.Date == now.UtcDateTime.Date ? "HH:mm 'UTC'" : "yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        return Html.Of($"<time datetime=\"{ActivityPlan.Text(time)}\">{text}</time>");
    }

    private static Html Queue(WorkspaceQueuePlace? queue) => QueueText(queue) is not { } text ? Html.Empty
        : Html.Of($"<div class=\"notice\"><p>{text} {queue!.Message}</p></div>");

    private static Html Stop(WorkspaceView workspace, string csrf, DateTimeOffset now)
    {
        if (workspace is not { DesiredState: DesiredStates.Running, Activity: { StopsAt: { } stopsAt } activity })
        {
            return Html.Empty;
        }

        var at = Time(stopsAt, now);
        return activity.StopReason == StopReasons.MaxRun
            ? Html.Of($"<div class=\"notice\"><p>Stops at {at}: it has then run as long as it may. Files are kept, and it can be "
                + $"started again.</p></div>")
            : Html.Of($"<div class=\"notice split\"><p>Stops at {at} unless it is used.</p>"
                + $"<div class=\"actions\">{WorkspaceHtml.Button(workspace.Name, "keep", "Keep it running", csrf)}</div></div>");
    }

    private static Html Kept(WorkspaceView workspace, string csrf, DateTimeOffset now)
    {
        if (workspace.DesiredState != DesiredStates.Running)
        {
            return Html.Empty;
        }

        if (workspace.Lifetime?.KeepUntil is { } until && until > now)
        {
            var undo = WorkspaceHtml.Button(workspace.Name, "unkeep", "Let it stop when unused", csrf);
            return Html.Of($"<div class=\"split small quiet\"><p>Kept running until {Time(until, now)}.</p>"
                + $"<div class=\"actions\">{undo}</div></div>");
        }

        // The operator's own sentence; under an announcement it says what stands above already.
        return workspace.Activity is { KeptBy: { } words, StopsAt: null } ? Html.Of($"<p class=\"small quiet\">{words}</p>") : Html.Empty;
    }
}
