using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Whether a start still moves. Pure.</summary>
internal static class Progress
{
    /// <summary>Time without any progress where a template says none: as long as a large image may take on a slow network.</summary>
    internal const int DefaultTimeoutSeconds = 600;

    /// <summary>When anything about a pod changed last: a condition, a container, an event.</summary>
    internal static DateTimeOffset? Newest(Pod pod, IReadOnlyList<CoreEvent> events, DateTimeOffset now)
    {
        var status = pod.Status;
        return ((IEnumerable<DateTimeOffset?>)
            [
                pod.Metadata.CreationTimestamp,
                status?.StartTime,
                .. (status?.Conditions ?? []).Select(c => c.LastTransitionTime),
                .. (status?.InitContainerStatuses ?? []).Concat(status?.ContainerStatuses ?? []).SelectMany(Times),

                // Only what happened for the first time: one that comes again and again is what does not move.
                .. events.Where(e => e.InvolvedObject.Uid == pod.Metadata.Uid).Select(e => e.FirstTimestamp ?? e.EventTime),
            ])
            .Where(t => t <= now).Max();

        static IEnumerable<DateTimeOffset?> Times(ContainerStatus container) =>
            [container.State?.Running?.StartedAt, container.State?.Terminated?.StartedAt, container.State?.Terminated?.FinishedAt];
    }

    /// <summary>The failure of a start that does not move, by where it hangs.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="timeout">How long it was waited for.</param>
    /// <param name="known">What is known to be wrong, although it may pass; null: nothing.</param>
    internal static PodFailure Stalled(Pod pod, TimeSpan timeout, PodFailure? known)
    {
        var time = Explain.Duration(timeout);
        var preparing = pod.Status?.InitContainerStatuses?.FirstOrDefault(c => c.State?.Terminated is not { ExitCode: 0 });
        var (@class, message) = (known, preparing, pod.Status?.Phase) switch
        {
            (not null, _, _) => (known.Class, $"Nothing changed for {time}. {known.Message}"),
            _ when string.IsNullOrEmpty(pod.Spec?.NodeName) => (FailureClasses.Platform,
                $"The pod got no node within {time}, and nobody says why. An administrator should look whether the scheduler runs."),
            (_, { State.Running: not null }, _) => (FailureClasses.Template,
                $"Container '{preparing.Name}', which runs before the application, did not end within {time}. Whoever keeps the "
                    + "template should "
                    + "look at its log, or allow more time in spec.lifetime.progressTimeoutSeconds."),
            (_, _, "Running") => (FailureClasses.Template,
                $"The application was started and did not answer within {time}. Its log says more; whoever keeps the template should "
                    + "check its "
                    + "port and spec.probes, or allow more time in spec.lifetime.progressTimeoutSeconds."),
            _ => (FailureClasses.Platform,
                $"Node {pod.Spec.NodeName} did not start the container within {time}. An administrator should look at the node and at the "
                    + "events of the pod; a large image may need more time in spec.lifetime.progressTimeoutSeconds."),
        };
        return new(@class, Reasons.NoProgress, $"{message} It is started again.", FailureEffect.Replace);
    }
}
