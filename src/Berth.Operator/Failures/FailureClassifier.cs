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

    private const int MaxDetail = 300;

    /// <summary>Classifies a pod.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="events">Warnings about it, newest last; only mounts are read from them, the rest is in its status.</param>
    /// <param name="now">The time now.</param>
    /// <returns>Null when nothing is wrong, or nothing is known to be.</returns>
    public static PodFailure? Classify(Pod pod, IReadOnlyList<CoreEvent> events, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(events);
        var status = pod.Status ?? new PodStatus();
        if (pod.Metadata.DeletionTimestamp is { } deletion)
        {
            // The API sets deletionTimestamp to the end of the grace period.
            return now < deletion + StrandedAfter ? null : Lost(pod);
        }

        if (status.Reason is "NodeLost" || status.Phase == "Unknown")
        {
            return Lost(pod);
        }

        return status.Phase switch
        {
            "Failed" => Ended(pod, status),
            "Succeeded" => new(
                FailureClasses.User,
                Reasons.Ended,
                "The application ended by itself, without an error. It is started again; stop the workspace instead if it should not "
                    + "run.",
                FailureEffect.Replace
            ),
            _ => EndedBeside(pod, status) ?? NotStarted(pod, status, events),
        };
    }

    // With a container beside it, a pod goes on after its application has ended, and after the other one has: neither does its work then.
    private static PodFailure? EndedBeside(Pod pod, PodStatus status) =>
        pod.Spec?.Containers.Count > 1 && status.ContainerStatuses?.Any(c => c.State?.Terminated is not null) == true ? Ended(pod, status)
            : null;

    private static PodFailure Ended(Pod pod, PodStatus status)
    {
        switch (status.Reason)
        {
            case "Evicted":
                return new(
                    FailureClasses.Platform,
                    Reasons.Evicted,
                    $"The node pushed the workspace out{Because(status.Message)}. It is started again; if it comes back, ask for more "
                        + "memory or disk.",
                    FailureEffect.Replace
                );
            case "NodeShutdown" or "Shutdown" or "Terminated" or "NodeAffinity":
                return new(
                    FailureClasses.Platform,
                    Reasons.NodeLost,
                    $"The node {pod.Spec?.NodeName} was shut down{Because(status.Message)}. The workspace is started on another one.",
                    FailureEffect.Replace
                );
            case "OutOfcpu" or "OutOfmemory" or "OutOfpods" or "OutOfephemeral-storage" or "UnexpectedAdmissionError" or "PreemptContainer":
                return new(
                    FailureClasses.Platform,
                    Reasons.NodeRefused,
                    $"The node {pod.Spec?.NodeName} would not take the workspace{Because(status.Message)}. It is started again.",
                    FailureEffect.Replace
                );
            case "DeadlineExceeded":
                return new(
                    FailureClasses.Platform,
                    Reasons.PodFailed,
                    "The pod reached its deadline. It is started again.",
                    FailureEffect.Replace
                );
        }

        var culprit = ContainerBlame.Find(status);
        var subject = ContainerBlame.Subject(pod, culprit?.Name);
        var terminated = culprit?.State?.Terminated ?? culprit?.LastState?.Terminated;
        if (terminated is null)
        {
            return new(
                FailureClasses.Platform,
                Reasons.PodFailed,
                $"The pod ended without telling why{Because(status.Message ?? status.Reason)}. It is started again.",
                FailureEffect.Replace
            );
        }

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
                Reasons.Ended,
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
                Reasons.Crashed,
                $"{subject} was killed (exit code {terminated.ExitCode}): its liveness probe failed, or something outside ended it. "
                    + "It is started again; look at the events of its pod if it comes back.",
                FailureEffect.Replace
            ),
            _ => new(
                ContainerBlame.IsBeside(pod, culprit?.Name) ? FailureClasses.Template : FailureClasses.User,
                Reasons.Crashed,
                $"{subject} ended with exit code {terminated.ExitCode}{Because(terminated.Message)}. It is started again; its "
                    + $"log says more{ContainerBlame.Hint(pod, culprit?.Name)}.",
                FailureEffect.Replace
            ),
        };
    }

    private static PodFailure? NotStarted(Pod pod, PodStatus status, IReadOnlyList<CoreEvent> events)
    {
        var scheduled = status.Conditions?.FirstOrDefault(c => c.Type == "PodScheduled");
        if (
            status.Phase is null or "Pending"
            && string.IsNullOrEmpty(pod.Spec?.NodeName)
            && scheduled is { Status: "False", Reason: "Unschedulable" }
        )
        {
            return new(
                FailureClasses.Platform,
                Reasons.Unschedulable,
                $"No node can take the workspace now{Because(scheduled.Message)}. It starts as soon as one can; an administrator may "
                    + "add nodes, "
                    + "or wish for less CPU or memory.",
                FailureEffect.Wait
            );
        }

        var culprit = ContainerBlame.Find(status);
        var waiting = culprit?.State?.Waiting;
        switch (waiting?.Reason)
        {
            case "ErrImagePull" or "ImagePullBackOff" or "ErrImageNeverPull" or "RegistryUnavailable" or "ErrRegistryUnavailable":
                return new(
                    FailureClasses.Template,
                    Reasons.ImagePull,
                    $"The image {ContainerBlame.Image(pod, culprit?.Name)} cannot be pulled{Because(waiting.Message)}. Whoever keeps the template "
                        + $"should check its "
                        + "name, tag and "
                        + "the right to pull it; the node keeps trying.",
                    FailureEffect.Stuck
                );
            case "InvalidImageName" or "ImageInspectError":
                return new(
                    FailureClasses.Template,
                    Reasons.InvalidImageName,
                    $"'{ContainerBlame.Image(pod, culprit?.Name)}' is no name of an image that can be used{Because(waiting.Message)}. Whoever keeps "
                        + $"the template "
                        + "should correct it.",
                    FailureEffect.Stuck
                );
            case "CreateContainerConfigError":
                return new(
                    FailureClasses.Template,
                    Reasons.ContainerConfig,
                    $"The container cannot be made from the template{Because(waiting.Message)}. Whoever keeps the template should "
                        + "correct it "
                        + "(an image that runs as root needs securityContext.runAsUser).",
                    FailureEffect.Stuck
                );
            case "CreateContainerError" or "RunContainerError":
                return CannotRun(pod, culprit?.Name, waiting.Message) with { Effect = FailureEffect.Stuck };
            case "CrashLoopBackOff":
                return new(
                    FailureClasses.User,
                    Reasons.Crashed,
                    $"{ContainerBlame.Subject(pod, culprit?.Name)} ends again and again{Because(waiting.Message)}. Its log says more.",
                    FailureEffect.Stuck
                );
        }

        return FailedMount(status, waiting, events);
    }

    private static PodFailure? FailedMount(PodStatus status, ContainerStateWaiting? waiting, IReadOnlyList<CoreEvent> events)
    {
        if (status.ContainerStatuses is { Count: > 0 } && waiting?.Reason is not (null or "ContainerCreating" or "PodInitializing"))
        {
            return null;
        }

        if (ContainerBlame.Find(status)?.State is { Running: not null } or { Terminated: not null })
        {
            return null;
        }

        var mount = events.LastOrDefault(e => e.Reason is "FailedMount" or "FailedAttachVolume" or "FailedMapVolume");
        return mount is null
            ? null
            : new(
                FailureClasses.Platform,
                Reasons.FailedMount,
                $"The volume cannot be mounted yet{Because(mount.Message)}. The node keeps trying; if it does not pass, an "
                    + "administrator should look "
                    + "at the volume and at the node that had it last.",
                FailureEffect.Wait
            );
    }

    private static PodFailure Lost(Pod pod) =>
        new(
            FailureClasses.Platform,
            Reasons.NodeLost,
            $"The node {pod.Spec?.NodeName} does not answer, so nobody can tell whether the old pod has ended. A second one on the same "
                + "volume could "
                + "destroy data: the workspace starts as soon as the node is back, or an administrator removed the node or the pod.",
            FailureEffect.Wait
        );

    private static PodFailure CannotRun(Pod pod, string? container, string? detail) =>
        new(
            FailureClasses.Template,
            Reasons.CannotRun,
            $"The command of {(ContainerBlame.IsApplication(container) ? "the container" : ContainerBlame.Lower(ContainerBlame.Subject(pod, container)))} cannot be "
                + $"started{Because(detail)}. "
                + "Whoever keeps the template should check command, args and user.",
            FailureEffect.Replace
        );

    // Details come from kubelets, registries and programs: they are shown, but cut, on one line, and without a full stop of their own.
    private static string Because(string? detail)
    {
        if (string.IsNullOrWhiteSpace(detail))
        {
            return "";
        }

        var line = detail.ReplaceLineEndings(" ").Trim().TrimEnd('.');
        return $" ({(line.Length <= MaxDetail ? line : string.Concat(line.AsSpan(0, MaxDetail), "…"))})";
    }
}
