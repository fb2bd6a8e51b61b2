using Berth.Resources;

namespace Berth.Operator;

/// <summary><c>status.start</c>: the milestones of the present or last start.</summary>
internal static class StartStatus
{
    internal static WorkspaceStart? Write(Observation seen, PodPlan plan, DateTimeOffset now)
    {
        var former = seen.Workspace.Status?.Start;
        if (plan.State == PodState.Creating)
        {
            var request = seen.Workspace.Spec.LastRequest?.At;
            var created = seen.Workspace.Metadata.CreationTimestamp;
            return new WorkspaceStart
            {
                // A request that an earlier start has answered says nothing about this one.
                RequestedAt = request > (former?.RequestedAt ?? DateTimeOffset.MinValue) && request <= now ? request : former is null
                    ? created ?? now : now,
                Path = StartPaths.Cold,
            };
        }

        if (plan.State is not (PodState.Starting or PodState.Ready) || seen.Pod is not { } pod)
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
}
