using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Why a pod ended, and whose fault that is: it is finished, and another one has to be made.</summary>
internal static class EndedPods
{
    // With a container beside it, a pod goes on after its application has ended, and after the other one has: neither does its work then.
    internal static PodFailure? Beside(Pod pod, PodStatus status, IReadOnlyList<CoreEvent> events) =>
        pod.Spec?.Containers.Count > 1 && status.ContainerStatuses?.Any(c => c.State?.Terminated is not null) == true
            ? Classify(pod, status, events)
            : null;

    internal static PodFailure Classify(Pod pod, PodStatus status, IReadOnlyList<CoreEvent> events)
    {
        switch (status.Reason)
        {
            case "Evicted":
                return new(
                    FailureClasses.Platform,
                    Reasons.Evicted,
                    $"The node pushed the workspace out{FailureText.Because(status.Message)}. It is started again; if it comes back, "
                        + "ask for more "
                        + "memory or disk.",
                    FailureEffect.Replace
                );
            case "NodeShutdown" or "Shutdown" or "Terminated" or "NodeAffinity":
                return new(
                    FailureClasses.Platform,
                    Reasons.NodeLost,
                    $"The node {pod.Spec?.NodeName} was shut down{FailureText.Because(status.Message)}. The workspace is started on "
                        + "another one.",
                    FailureEffect.Replace
                );
            case "OutOfcpu" or "OutOfmemory" or "OutOfpods" or "OutOfephemeral-storage" or "UnexpectedAdmissionError" or "PreemptContainer":
                return new(
                    FailureClasses.Platform,
                    Reasons.NodeRefused,
                    $"The node {pod.Spec?.NodeName} would not take the workspace{FailureText.Because(status.Message)}. It is started "
                        + "again.",
                    FailureEffect.Replace
                );
            case "DeadlineExceeded":
                return new(
                    FailureClasses.Platform,
                    Reasons.DeadlineExceeded,
                    "Something set a deadline on the pod, and it was reached. It is started again; an administrator should look at what "
                        + "changes pods in this cluster, as Berth sets none.",
                    FailureEffect.Replace
                );
            case "Preempting" or "Preempted":
                return Disruption.Preempted(status.Message);
        }

        var culprit = ContainerBlame.Find(status);
        var subject = ContainerBlame.Subject(pod, culprit?.Name);
        var terminated = culprit?.State?.Terminated ?? culprit?.LastState?.Terminated;
        if (terminated is null)
        {
            return new(
                FailureClasses.Platform,
                Reasons.PodFailed,
                $"The pod ended without telling why{FailureText.Because(status.Message ?? status.Reason)}. It is started again.",
                FailureEffect.Replace
            );
        }

        if (ProbeFailed(events) is { } probe && terminated.ExitCode is 137 or 143 && terminated.Reason != "OOMKilled"
            && ContainerBlame.IsApplication(culprit?.Name))
        {
            return probe;
        }

        var reason = ContainerBlame.IsBefore(pod, culprit?.Name) ? Reasons.InitContainerFailed
            : ContainerBlame.IsBeside(pod, culprit?.Name) ? Reasons.SidecarFailed
            : Reasons.Crashed;
        return terminated switch
        {
            { Reason: "OOMKilled" } => new(
                FailureClasses.User,
                Reasons.OutOfMemory,
                $"{subject} used more memory than it may{ContainerBlame.Limit(pod, culprit?.Name)} and was ended. It is started again; "
                    + (ContainerBlame.IsApplication(culprit?.Name)
                        ? "close what you do not need, or set a larger spec.resources.memory and restart."
                        : "whoever keeps the template may give it more."),
                FailureEffect.Replace
            ),
            { Reason: "ContainerCannotRun" or "StartError" } => CannotRun(pod, culprit?.Name, terminated.Message),

            // What container runtimes say of a container that did not survive a restart of its node: "ContainerStatusUnknown", or
            // "Unknown" with 255.
            { Reason: "ContainerStatusUnknown" } or { Reason: "Unknown", ExitCode: 255 } => new(
                FailureClasses.Platform,
                Reasons.NodeLost,
                $"The node {pod.Spec?.NodeName} was restarted, and the workspace ended with it. It is started again.",
                FailureEffect.Replace
            ),
            { ExitCode: 0 } when ContainerBlame.IsBeside(pod, culprit?.Name) => new(
                FailureClasses.Template,
                Reasons.SidecarFailed,
                $"{subject} ended by itself, but has to run as long as the application. The workspace is started again; whoever keeps the "
                    + "template should make it an init container, or its program one that stays.",
                FailureEffect.Replace
            ),
            { ExitCode: 0 } => new(
                FailureClasses.User,
                Reasons.Ended,
                "The application ended by itself, without an error. It is started again.",
                FailureEffect.Replace
            ),
            { ExitCode: 126 or 127 } => CannotRun(pod, culprit?.Name, terminated.Message ?? $"exit code {terminated.ExitCode}"),
            { ExitCode: 137 or 143 } => new(
                FailureClasses.Platform,
                reason,
                $"{subject} was killed (exit code {terminated.ExitCode}): something outside ended it, or a program of it did. "
                    + "It is started again; look at the events of its pod if it comes back.",
                FailureEffect.Replace
            ),
            _ => new(
                ContainerBlame.IsBeside(pod, culprit?.Name) ? FailureClasses.Template : FailureClasses.User,
                reason,
                $"{subject} ended with exit code {terminated.ExitCode}{FailureText.Because(terminated.Message)}. It is started again; its "
                    + $"log says more{ContainerBlame.Hint(pod, culprit?.Name)}.",
                FailureEffect.Replace
            ),
        };
    }

    // A pod is never restarted in place, so what a kubelet kills for a probe ends the pod; only its events say why.
    private static PodFailure? ProbeFailed(IReadOnlyList<CoreEvent> events)
    {
        var unhealthy = events.LastOrDefault(e => e.Reason == "Unhealthy"
            && (e.Message?.StartsWith("Liveness", StringComparison.Ordinal) == true
                || e.Message?.StartsWith("Startup", StringComparison.Ordinal) == true));
        if (unhealthy is null)
        {
            return null;
        }

        var startup = unhealthy.Message!.StartsWith("Startup", StringComparison.Ordinal);
        return new(
            startup ? FailureClasses.Template : FailureClasses.User,
            Reasons.ProbeFailed,
            startup
                ? $"The application was started and did not answer in time{FailureText.Because(unhealthy.Message)}. It is started "
                    + "again; whoever "
                    + "keeps the template should check its port and the path of spec.probes.readiness."
                : $"The application ran and no longer answered{FailureText.Because(unhealthy.Message)}, so that its node ended it. It is "
                    + "started again; if it comes back, give it more CPU or memory, or look at what keeps it busy.",
            FailureEffect.Replace
        );
    }

    internal static PodFailure CannotRun(Pod pod, string? container, string? detail) =>
        new(
            FailureClasses.Template,
            Reasons.CannotRun,
            $"The command of {WhoseCommand(pod, container)} cannot be "
                + $"started{FailureText.Because(detail)}. "
                + "Whoever keeps the template should check command, args and user.",
            FailureEffect.Replace
        );

    private static string WhoseCommand(Pod pod, string? container) =>
        ContainerBlame.IsApplication(container) ? "the container" : ContainerBlame.Lower(ContainerBlame.Subject(pod, container));
}
