using System.Globalization;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>The conditions of the pod: whether it has a node, and whether the application answers.</summary>
internal static class PodConditions
{
    internal static void Write(ConditionSet conditions, Observation seen, PodPlan plan, ChildPlan children)
    {
        var node = seen.Pod?.Spec?.NodeName;
        var onNode = !string.IsNullOrEmpty(node);
        switch (plan.State)
        {
            case PodState.Absent:
                Both(Reasons.Stopped, "The workspace is stopped. Its volume is kept.");
                break;
            case PodState.Blocked:
                if (children.Obstacles.TryGetValue(ChildPart.Pod, out var refused)
                    || children.Obstacles.TryGetValue(ChildPart.NetworkPolicy, out refused))
                {
                    Both(refused.Reason, refused.Message);
                }
                else
                {
                    Both(Reasons.NotReady, "A pod is made once the template is resolved and the volume can be used.");
                }

                break;
            case PodState.Pausing:
                Both(Reasons.BackingOff, WithNext(plan.Failure));
                break;
            case PodState.Foreign when Children.OwnedByFormer(seen.Workspace, seen.Pod!.Metadata):
                Both(Reasons.WaitingForFormerPod,
                    "The pod of an earlier workspace of this name has not ended yet; two pods must not use one volume.");
                break;
            case PodState.Foreign:
                Both(Reasons.NameClash, ChildPlan.Clash(ChildPart.Pod, seen.Workspace));
                break;
            case PodState.Creating:
                Both(Reasons.Scheduling, "The pod is being made.");
                break;
            case PodState.Ending:
                var reason = plan.Restarting ? Reasons.Restarting : Reasons.Stopping;
                var text = plan.Effect is not null && plan.Step is null && plan.Failure is { } lost ? lost.Message!
                    : plan.Restarting ? "The pod ends, so that a new one can start." : "The workspace is stopping.";
                Scheduled();
                conditions.False(ConditionTypes.PodReady, reason, text);
                break;
            case PodState.Ready:
                Scheduled();
                conditions.True(ConditionTypes.PodReady, Reasons.Answering, "The application answers.");
                break;
            case PodState.Failing:
                Scheduled();
                conditions.False(ConditionTypes.PodReady, plan.Failure!.Reason!, WithNext(plan.Failure));
                break;
            default:
                Scheduled();
                conditions.False(ConditionTypes.PodReady, Reasons.Starting,
                    seen.Pod?.Status?.Phase == "Running" ? "The application was started and does not answer yet." : "The container is "
                        + "being started.");
                break;
        }

        void Both(string reason, string message)
        {
            conditions.False(ConditionTypes.PodScheduled, reason, message);
            conditions.False(ConditionTypes.PodReady, reason, message);
        }

        void Scheduled()
        {
            if (onNode)
            {
                conditions.True(ConditionTypes.PodScheduled, Reasons.Scheduled, $"The pod is on node {node}.");
            }
            else if (plan.State == PodState.Ready)
            {
                conditions.True(ConditionTypes.PodScheduled, Reasons.Scheduled, "The pod runs.");
            }
            else if (plan.Failure is { Reason: Reasons.Unschedulable } unschedulable)
            {
                conditions.False(ConditionTypes.PodScheduled, Reasons.Unschedulable, unschedulable.Message!);
            }
            else
            {
                conditions.False(ConditionTypes.PodScheduled, Reasons.Scheduling, "The pod waits for a node.");
            }
        }
    }

    private static string WithNext(WorkspaceFailure? failure) => failure?.NextRetryAt is { } next
        ? $"{failure.Message} Attempt {(failure.Attempts ?? 0) + 1} is at "
            + $"{next.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} UTC."
        : failure?.Message ?? "The pod failed.";
}
