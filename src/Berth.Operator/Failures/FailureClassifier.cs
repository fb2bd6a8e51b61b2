using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// Tells from a pod's status and events why it does not do its work, and whose fault that is. Pure; the table of cases is its test.
/// </summary>
public static class FailureClassifier
{
    /// <summary>Time after the end of its grace period at which a pod that should be gone is taken for stranded on a lost node.</summary>
    public static readonly TimeSpan StrandedAfter = TimeSpan.FromSeconds(60);

    /// <summary>Classifies a pod.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="events">Warnings about it and its volume, newest last; what its status says counts first.</param>
    /// <param name="now">The time now.</param>
    /// <returns>Null when nothing is wrong, or nothing is known to be.</returns>
    public static PodFailure? Classify(Pod pod, IReadOnlyList<CoreEvent> events, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(events);
        var status = pod.Status ?? new PodStatus();
        if (IsLost(pod, now))
        {
            return Lost(pod);
        }

        // The API sets deletionTimestamp to the end of the grace period: until then it ends.
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            return Disruption.Classify(pod);
        }

        return status.Phase switch
        {
            "Failed" => EndedPods.Classify(pod, status, events),
            "Succeeded" => new(
                FailureClasses.User,
                Reasons.Ended,
                "The application ended by itself, without an error. It is started again; stop the workspace instead if it should not "
                    + "run.",
                FailureEffect.Replace
            ),
            _ => EndedPods.Beside(pod, status, events) ?? WaitingPods.Classify(pod, status, events),
        };
    }

    /// <summary>Nobody can tell whether the pod still runs.</summary>
    internal static bool IsLost(Pod pod, DateTimeOffset now) => pod.Metadata.DeletionTimestamp is { } deletion
        ? now >= deletion + StrandedAfter
        : pod.Status is { Reason: "NodeLost" } or { Phase: "Unknown" };

    internal static PodFailure Lost(Pod pod) =>
        new(
            FailureClasses.Platform,
            Reasons.NodeLost,
            $"The node {pod.Spec?.NodeName} does not answer, so nobody can tell whether the old pod has ended. A second one on the same "
                + "volume could "
                + "destroy data: the workspace starts as soon as the node is back, or an administrator removed the node or the pod.",
            FailureEffect.Wait
        );
}
