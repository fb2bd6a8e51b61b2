using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Why the cluster itself takes a pod away: what its condition <c>DisruptionTarget</c> says (Kubernetes 1.26 and later).</summary>
internal static class Disruption
{
    /// <summary>Null when nobody took it away, or nothing says who.</summary>
    internal static PodFailure? Classify(Pod pod)
    {
        var target = pod.Status?.Conditions?.FirstOrDefault(c => c is { Type: "DisruptionTarget", Status: "True" });
        return target?.Reason switch
        {
            null => null,
            "PreemptionByScheduler" => Preempted(target.Message),
            "DeletionByTaintManager" or "DeletionByPodGC" => new(
                FailureClasses.Platform,
                Reasons.NodeLost,
                $"The node {pod.Spec?.NodeName} can no longer be used{FailureText.Because(target.Message)}. The workspace is started on "
                    + "another one.",
                FailureEffect.Replace
            ),
            _ => new(
                FailureClasses.Platform,
                Reasons.Evicted,
                $"The workspace was moved away from node {pod.Spec?.NodeName}{FailureText.Because(target.Message)}. It is started again.",
                FailureEffect.Replace
            ),
        };
    }

    internal static PodFailure Preempted(string? detail) =>
        new(
            FailureClasses.Platform,
            Reasons.Preempted,
            $"The workspace had to make room for something more important{FailureText.Because(detail)}. It is started again where there is "
                + "room; an administrator may add nodes, or set a higher spec.scheduling.priorityClassName in the template.",
            FailureEffect.Replace
        );
}
