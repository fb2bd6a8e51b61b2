using System.Globalization;
using Berth.Accounts;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// What a workspace's object says of its history and usage. Pure: the same object gives the same records on every replica, with names made
/// from the object's own times, so that the store keeps each once.
/// </summary>
internal static class WorkspaceEvents
{
    /// <summary>Records of the present or last run.</summary>
    public static IEnumerable<WorkspaceRecord> RecordsOf(UserWorkspace workspace)
    {
        if (workspace.Metadata.Uid is not { Length: > 0 } || workspace.Status is not { } status)
        {
            yield break;
        }

        if (status.Start is { RequestedAt: { } asked } start)
        {
            var run = Stamp(asked);
            yield return New(workspace, "start", run, asked, StartReason(workspace, asked));
            if (start.ReadyAt is { } ready)
            {
                yield return New(workspace, "ready", run, ready, start.Path);
            }

            if (status.Phase == WorkspacePhases.Stopped && NotReadySince(status) is { } stopped && stopped >= asked)
            {
                yield return New(workspace, "stop", run, stopped, StopReason(workspace, asked));
            }
        }

        if (status is { Phase: WorkspacePhases.Failed, Failure: { } failure })
        {
            var since = NotReadySince(status) ?? status.Start?.RequestedAt ?? workspace.Metadata.CreationTimestamp;
            if (since is { } at)
            {
                yield return New(workspace, "fail", $"{Stamp(at)}-{failure.Attempts ?? 0}", at, failure.Reason ?? failure.Class);
            }
        }
    }

    /// <summary>The record of a workspace that is gone.</summary>
    public static WorkspaceRecord? DeletionOf(UserWorkspace workspace, DateTimeOffset now) => workspace.Metadata.Uid is { Length: > 0 }
        ? New(workspace, "delete", "", workspace.Metadata.DeletionTimestamp ?? now, null) : null;

    /// <summary>Usage of the present or last run, cut at midnights; until now while it runs.</summary>
    public static IEnumerable<UsageSlice> UsageOf(UserWorkspace workspace, DateTimeOffset now)
    {
        if (workspace.Metadata.Uid is not { Length: > 0 } uid || workspace.Status is not { Start.ReadyAt: { } ready } status)
        {
            return [];
        }

        var end = status.Phase switch
        {
            WorkspacePhases.Running => now,
            WorkspacePhases.Stopped or WorkspacePhases.Failed or WorkspacePhases.Stopping => NotReadySince(status),
            _ => null,
        };
        return end is not { } until || until <= ready ? []
            : UsageSlice.Of(uid, Owner(workspace), workspace.Metadata.Name ?? "", ready, until);
    }

    private static PersonKey Owner(UserWorkspace workspace) => new(workspace.Spec.Owner.Issuer, workspace.Spec.Owner.Subject);

    private static DateTimeOffset? NotReadySince(UserWorkspaceStatus status) =>
        status.Conditions?.FirstOrDefault(c => c.Type == ConditionTypes.Ready && c.Status != "True")?.LastTransitionTime;

    // The request that began this run; a later one is about something else.
    private static string? StartReason(UserWorkspace workspace, DateTimeOffset asked) =>
        workspace.Spec.LastRequest is { } request && workspace.Spec.DesiredState == DesiredStates.Running && request.At <= asked
            ? request.Reason : null;

    private static string? StopReason(UserWorkspace workspace, DateTimeOffset asked) =>
        workspace.Spec.LastRequest is { } request && workspace.Spec.DesiredState == DesiredStates.Stopped && request.At >= asked
            ? request.Reason : null;

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss.fff", CultureInfo.InvariantCulture);

    private static WorkspaceRecord New(UserWorkspace workspace, string kind, string run, DateTimeOffset at, string? reason) => new()
    {
        WorkspaceUid = workspace.Metadata.Uid!,
        Event = run.Length == 0 ? kind : $"{kind}-{run}",
        Owner = Owner(workspace),
        Workspace = workspace.Metadata.Name ?? "",
        Template = workspace.Spec.Template.Name,
        Kind = kind,
        Reason = reason,
        At = at,
    };
}
