using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Why a pod does not come up, and whose fault that is.</summary>
internal static class WaitingPods
{
    internal static PodFailure? Classify(Pod pod, PodStatus status, IReadOnlyList<CoreEvent> events)
    {
        var scheduled = status.Conditions?.FirstOrDefault(c => c.Type == "PodScheduled");
        if (
            status.Phase is null or "Pending"
            && string.IsNullOrEmpty(pod.Spec?.NodeName)
            && scheduled is { Status: "False", Reason: "Unschedulable" }
        )
        {
            return ProvisioningFailed(events) ?? SchedulingWords.Unschedulable(scheduled.Message);
        }

        var culprit = ContainerBlame.Find(status);
        var waiting = culprit?.State?.Waiting;
        switch (waiting?.Reason)
        {
            case "ErrImagePull" or "ImagePullBackOff" or "ErrImageNeverPull" or "RegistryUnavailable" or "ErrRegistryUnavailable":
                return new(
                    FailureClasses.Template,
                    Reasons.ImagePull,
                    $"The image {ContainerBlame.Image(pod, culprit?.Name)} cannot be pulled{FailureText.Because(waiting.Message)}. "
                        + "Whoever keeps the template "
                        + $"should check its "
                        + "name, tag and "
                        + "the right to pull it; the node keeps trying.",
                    FailureEffect.Stuck
                );
            case "InvalidImageName" or "ImageInspectError":
                return new(
                    FailureClasses.Template,
                    Reasons.InvalidImageName,
                    $"'{ContainerBlame.Image(pod, culprit?.Name)}' is no name of an image that can be "
                        + $"used{FailureText.Because(waiting.Message)}. Whoever keeps "
                        + $"the template "
                        + "should correct it.",
                    FailureEffect.Stuck
                );
            case "CreateContainerConfigError":
                return new(
                    FailureClasses.Template,
                    Reasons.ContainerConfig,
                    $"The container cannot be made from the template{FailureText.Because(waiting.Message)}. Whoever keeps the template "
                        + "should "
                        + "correct it "
                        + "(an image that runs as root needs securityContext.runAsUser).",
                    FailureEffect.Stuck
                );
            case "CreateContainerError" or "RunContainerError":
                return EndedPods.CannotRun(pod, culprit?.Name, waiting.Message) with { Effect = FailureEffect.Stuck };
            case "CrashLoopBackOff":
                return new(
                    FailureClasses.User,
                    Reasons.Crashed,
                    $"{ContainerBlame.Subject(pod, culprit?.Name)} ends again and again{FailureText.Because(waiting.Message)}. Its log "
                        + "says more.",
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

        if (ProvisioningFailed(events) is { } provisioning)
        {
            return provisioning;
        }

        var mount = events.LastOrDefault(e => e.Reason is "FailedMount" or "FailedAttachVolume" or "FailedMapVolume");
        if (mount is null)
        {
            return null;
        }

        return new(
            FailureClasses.Platform,
            Reasons.FailedMount,
            mount.Message?.Contains("Multi-Attach", StringComparison.Ordinal) == true
                ? $"The volume is still attached to another node{FailureText.Because(mount.Message)}. It is tried again until that node "
                    + "lets go of it; if "
                    + "that takes longer than some minutes, an administrator should look at the node that had it last."
                : $"The volume cannot be mounted yet{FailureText.Because(mount.Message)}. The node keeps trying; if it does not pass, "
                    + "an administrator "
                    + "should look at the volume and at the node that had it last.",
            FailureEffect.Wait
        );
    }

    // Of the claim, not of the pod: a pod only says that its volume is not there.
    private static PodFailure? ProvisioningFailed(IReadOnlyList<CoreEvent> events) =>
        events.LastOrDefault(e => e.Reason == "ProvisioningFailed") is { } failed
            ? new(
                FailureClasses.Platform,
                Reasons.ProvisioningFailed,
                $"The volume cannot be made{FailureText.Because(failed.Message)}. It is tried again; an administrator should look at "
                    + "the storage "
                    + "class and its provisioner, and at what room there is.",
                FailureEffect.Wait
            )
            : null;
}
