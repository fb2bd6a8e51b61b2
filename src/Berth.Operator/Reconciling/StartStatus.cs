using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary><c>status.start</c>: the milestones of the present or last start.</summary>
internal static class StartStatus
{
    internal static WorkspaceStart? Write(Observation seen, PodPlan plan, DateTimeOffset now)
    {
        var former = seen.Workspace.Status?.Start;
        if (plan.State == PodState.Creating)
        {
            return new WorkspaceStart { RequestedAt = RequestedAt(seen, now), Path = StartPaths.Cold };
        }

        // A pod that was waiting was scheduled and ready before anybody asked; this start has it since the claim.
        if (seen.Pod is { } taken && PoolPods.ClaimedAt(taken) is { } claimedAt && Children.Owns(seen.Workspace, taken.Metadata)
            && seen.Workspace.Status?.PodName != taken.Metadata.Name)
        {
            return new WorkspaceStart
            {
                RequestedAt = RequestedAt(seen, now),
                ScheduledAt = claimedAt,
                ReadyAt = plan.State == PodState.Ready ? claimedAt : null,
                Path = StartPaths.Warm,
            };
        }

        if (seen.Pod is not { } pod)
        {
            return former;
        }

        if (IsOfFormerPod(former, seen, pod))
        {
            // The process ended between making this pod and saying so.
            former = new WorkspaceStart { RequestedAt = RequestedAt(seen, pod.Metadata.CreationTimestamp!.Value), Path = StartPaths.Cold };
        }

        if (plan.State is not (PodState.Starting or PodState.Ready))
        {
            return former;
        }

        var conditions = pod.Status?.Conditions ?? [];
        return (former ?? new WorkspaceStart { RequestedAt = pod.Metadata.CreationTimestamp, Path = StartPaths.Cold }) with
        {
            ScheduledAt = former?.ScheduledAt ?? conditions.FirstOrDefault(c =>
                c.Type == "PodScheduled" && c.Status == "True")?.LastTransitionTime,
            ReadyAt = former?.ReadyAt ?? conditions.FirstOrDefault(c => c.Type == "Ready" && c.Status == "True")?.LastTransitionTime,
        };
    }

    // Nothing of a start can be older than its pod, but where the pod waited for somebody: then its milestones are those of the claim.
    private static bool IsOfFormerPod(WorkspaceStart? start, Observation seen, Pod pod) =>
        Children.Owns(seen.Workspace, pod.Metadata)
        && (start?.ReadyAt < pod.Metadata.CreationTimestamp || start?.ScheduledAt < pod.Metadata.CreationTimestamp);

    // A request that an earlier start has answered says nothing about this one.
    private static DateTimeOffset RequestedAt(Observation seen, DateTimeOffset now)
    {
        var former = seen.Workspace.Status?.Start;
        return seen.Workspace.Spec.LastRequest?.At is { } request && request > (former?.RequestedAt ?? DateTimeOffset.MinValue)
            && request <= now
            ? request
            : former is null ? seen.Workspace.Metadata.CreationTimestamp ?? now : now;
    }
}
