using Berth.Resources;

namespace Berth.Operator;

/// <summary><c>status.failure</c>: the pod's failure, or what keeps a pod from being made.</summary>
internal static class FailureStatus
{
    internal static WorkspaceFailure? Write(Blueprint blueprint, ChildPlan children, PodPlan pod, Observation seen)
    {
        if (pod.State is not (PodState.Blocked or PodState.Foreign))
        {
            return pod.Failure;
        }

        if (!blueprint.Problems.IsEmpty)
        {
            var first = blueprint.Problems[0];
            return new WorkspaceFailure
            {
                Class = first.Class,
                Reason = first.Reason,
                Message = string.Join(" ",
                blueprint.Problems.Select(p => p.Message))
            };
        }

        if (seen.Template is null)
        {
            return new WorkspaceFailure
            {
                Class = FailureClasses.User,
                Reason = Reasons.TemplateNotFound,
                Message = PartConditions.NotFound(seen)
            };
        }

        var obstacle = children.Obstacles.OrderBy(o =>
            o.Key).Select(o => o.Value).FirstOrDefault(o => o.Reason != Reasons.WaitingForFormerPod);
        return pod.State == PodState.Foreign && !Children.OwnedByFormer(seen.Workspace, seen.Pod!.Metadata)
            ? new WorkspaceFailure
            {
                Class = FailureClasses.Platform,
                Reason = Reasons.NameClash,
                Message = ChildPlan.Clash(ChildPart.Pod,
                seen.Workspace)
            }
            : obstacle.Message is null
                ? null
                : new WorkspaceFailure { Class = FailureClasses.Platform, Reason = obstacle.Reason, Message = obstacle.Message };
    }
}
