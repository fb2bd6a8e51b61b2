using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What to do about a pod that does not do its work: the pauses between attempts, and what is told meanwhile. Pure.</summary>
internal static class FailedPods
{
    /// <summary>Failures in a row from which on a program is said to end again and again.</summary>
    internal const int LoopsFrom = 3;

    /// <summary>Whether the failure of this pod is the one that the status tells: each pod counts once.</summary>
    internal static bool IsCounted(Observation seen, Pod pod) => IsCounted(seen, pod, seen.Workspace.Status?.Failure);

    // A pod made before the next attempt is the one that the attempt follows.
    private static bool IsCounted(Observation seen, Pod pod, WorkspaceFailure? former) =>
        former is { NextRetryAt: { } planned, Attempts: > 0 } && (pod.Metadata.CreationTimestamp ?? seen.Now) < planned;

    internal static PodPlan Plan(Observation seen, Blueprint blueprint, Pod pod, PodFailure failed, WorkspaceFailure? former)
    {
        var changed = blueprint.Revision is { } revision && pod.Metadata.Annotations?.GetValueOrDefault(Annotations.Revision) != revision;
        if (failed is { Effect: FailureEffect.Stuck, Class: FailureClasses.Template } && FallbackPlan.IsThere(seen, blueprint))
        {
            // There is something better than to wait for a correction.
            failed = failed with { Effect = FailureEffect.Replace };
        }

        if (seen.Workspace.Spec.Debug == true && failed.Effect != FailureEffect.Wait)
        {
            return new PodPlan
            {
                State = PodState.Failing,
                Failure = Kept(seen.Workspace, pod, failed, former),
                Effect = failed.Effect,
            };
        }

        if (failed.Effect != FailureEffect.Replace)
        {
            // What may still run on a node that is silent is no start that could be begun anew.
            changed &= failed.Reason != Reasons.NodeLost;

            // It never ran, so a corrected template or parameter may replace it at once: nobody loses anything.
            return new PodPlan
            {
                State = changed ? PodState.Ending : PodState.Failing,
                Step = changed ? new Step.DeletePod(pod) { AsSeen = true } : null,
                Failure = ToFailure(failed, changed ? null : former?.Attempts, null),
                Effect = failed.Effect,
                LookAgainAt = failed switch
                {
                    { Reason: Reasons.NodeLost, Effect: FailureEffect.Wait } => seen.Now + PodPlan.PendingLook,
                    { Effect: FailureEffect.Wait } => PodPlan.NextLook(seen, pod),
                    _ => null,
                },
                Restarting = changed,
            };
        }

        var counted = IsCounted(seen, pod, former);
        var attempts = counted
            ? former!.Attempts!.Value
            : (PodPlan.WasReady(seen, pod) && failed.Reason == Reasons.NodeLost ? 0 : former?.Attempts ?? 0) + 1;
        var retryAt = counted ? former!.NextRetryAt!.Value : Times.Seconds(seen.Now) + Backoff.After(attempts, failed.Reason);

        // What was told stays told: events that explained it are forgotten by the API long before the pod is.
        var failure = counted ? former! : ToFailure(Repeated(failed, attempts), attempts, retryAt);
        if (changed || seen.Now >= retryAt || (counted && PodPlan.AskedSince(seen.Workspace, former!)))
        {
            return new PodPlan
            {
                State = PodState.Ending,
                Step = new Step.DeletePod(pod) { AsSeen = true },

                // A change of the specification deserves an attempt of its own, without the pauses of the old one.
                Failure = changed ? failure with { Attempts = 0, NextRetryAt = null } : failure,
                Effect = failed.Effect,
                Restarting = true,
            };
        }

        // The failed pod stays until then, so that its log can be read.
        return new PodPlan
        {
            State = PodState.Failing,
            Failure = failure,
            Effect = failed.Effect,
            LookAgainAt = retryAt,
        };
    }

    /// <summary>A program that ended once may have had a bad day; one that always ends needs to be looked at.</summary>
    private static PodFailure Repeated(PodFailure failed, int attempts) =>
        attempts >= LoopsFrom && failed.Reason is (Reasons.Crashed or Reasons.Ended)
            ? failed with
            {
                Reason = Reasons.CrashLoop,
                Message = string.Create(CultureInfo.InvariantCulture, $"{failed.Message} It has ended {attempts} times in a row."),
            }
            : failed;

    /// <summary>The failure of a pod that is kept for a look at it.</summary>
    private static WorkspaceFailure Kept(UserWorkspace workspace, Pod pod, PodFailure failed, WorkspaceFailure? former)
    {
        var (ns, name) = (pod.Metadata.Namespace, pod.Metadata.Name);
        var container = pod.Status is { } status ? ContainerBlame.Find(status)?.Name : null;
        return ToFailure(
            failed with
            {
                Message = failed.Message.Replace(" is started ", " is not started ", StringComparison.Ordinal)
                    + $" The pod is kept for a look, as spec.debug is set: kubectl logs -n {ns} {name} -c "
                    + $"{container ?? Blueprint.ContainerName}; "
                    + $"kubectl debug -n {ns} {name} -it --image=busybox. Then ask for a restart (annotation "
                    + $"{Annotations.RestartedAt}), stop it, "
                    + $"or unset it: kubectl patch uws -n {ns} {workspace.Metadata.Name} --type=merge -p "
                    + $"'{{\"spec\":{{\"debug\":null}}}}'.",
            },
            Math.Max(1, former?.Attempts ?? 1),
            null);
    }

    internal static WorkspaceFailure ToFailure(PodFailure failure, int? attempts, DateTimeOffset? next) =>
        new()
        {
            Class = failure.Class,
            Reason = failure.Reason,
            Message = failure.Message,
            Attempts = attempts > 0 ? attempts : null,
            NextRetryAt = next,
        };
}
