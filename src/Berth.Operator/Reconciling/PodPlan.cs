using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Where the pod stands.</summary>
internal enum PodState
{
    /// <summary>None, and none is wanted.</summary>
    Absent,

    /// <summary>None; one cannot be made for now.</summary>
    Blocked,

    /// <summary>None; the pause after a failure is not over.</summary>
    Pausing,

    /// <summary>One is made in this pass.</summary>
    Creating,

    /// <summary>One is on its way.</summary>
    Starting,

    /// <summary>One answers.</summary>
    Ready,

    /// <summary>One does not do its work.</summary>
    Failing,

    /// <summary>One ends.</summary>
    Ending,

    /// <summary>One is there that is not ours.</summary>
    Foreign,
}

/// <summary>
/// What to do about the pod, and what is known of it: the state machine of starts, stops, restarts, failures and their pauses.
/// </summary>
internal sealed record PodPlan
{
    public required PodState State { get; init; }

    public Step? Step { get; init; }

    public WorkspaceFailure? Failure { get; init; }

    public FailureEffect? Effect { get; init; }

    public DateTimeOffset? LookAgainAt { get; init; }

    /// <summary>A pod is being replaced because somebody asked for it, not because it failed.</summary>
    public bool Restarting { get; init; }

    /// <summary>Time between looks at a pod that takes long, for events that no watch brings.</summary>
    internal static readonly TimeSpan PendingLook = TimeSpan.FromSeconds(15);

    internal static PodPlan Make(Observation seen, Blueprint blueprint, bool blocked)
    {
        var workspace = seen.Workspace;
        var stop = workspace.Spec.DesiredState == DesiredStates.Stopped;
        var failure = stop ? null : workspace.Status?.Failure;
        if (seen.Pod is not { } pod)
        {
            return WithoutPod(seen, blueprint, blocked, stop, failure);
        }

        if (!Children.Owns(workspace, pod.Metadata))
        {
            return new PodPlan { State = PodState.Foreign, Failure = failure };
        }

        if (pod.Metadata.DeletionTimestamp is { } deletion)
        {
            var lost = FailureClassifier.Classify(pod, [], seen.Now);
            return new PodPlan
            {
                State = PodState.Ending,
                Failure = lost is null ? failure : ToFailure(lost, failure?.Attempts, null),
                Effect = lost?.Effect,
                LookAgainAt = lost is null ? deletion + FailureClassifier.StrandedAfter : null,
                Restarting = !stop,
            };
        }

        // Another owner: what runs is the former one's, with their files.
        if (stop || Children.IsOfAnotherOwner(workspace, pod.Metadata))
        {
            return new PodPlan { State = PodState.Ending, Step = new Step.DeletePod(pod) };
        }

        if (RestartAsked(workspace, pod))
        {
            return new PodPlan
            {
                State = PodState.Ending,
                Step = new Step.DeletePod(pod),
                Restarting = true,
            };
        }

        return FailureClassifier.Classify(pod, seen.PodEvents, seen.Now) is { } failed
            ? Failing(seen, blueprint, pod, failed, failure)
            : Healthy(seen, pod, failure);
    }

    private static PodPlan WithoutPod(Observation seen, Blueprint blueprint, bool blocked, bool stop, WorkspaceFailure? failure)
    {
        if (stop)
        {
            return new PodPlan { State = PodState.Absent };
        }

        if (blocked || blueprint.Pod is null)
        {
            return new PodPlan { State = PodState.Blocked, Failure = failure };
        }

        if (failure?.NextRetryAt is { } next && seen.Now < next)
        {
            if (!AskedSince(seen.Workspace, failure))
            {
                return new PodPlan
                {
                    State = PodState.Pausing,
                    Failure = failure,
                    LookAgainAt = next,
                };
            }

            failure = null;
        }

        return new PodPlan
        {
            State = PodState.Creating,
            Step = new Step.CreatePod(blueprint.Pod),
            Failure = failure?.Attempts > 0 ? failure with { NextRetryAt = null } : null,
        };
    }

    private static PodPlan Failing(Observation seen, Blueprint blueprint, Pod pod, PodFailure failed, WorkspaceFailure? former)
    {
        var changed = blueprint.Revision is { } revision && pod.Metadata.Annotations?.GetValueOrDefault(Annotations.Revision) != revision;
        if (failed.Effect != FailureEffect.Replace)
        {
            // It never ran, so a corrected template or parameter may replace it at once: nobody loses anything.
            return new PodPlan
            {
                State = changed ? PodState.Ending : PodState.Failing,
                Step = changed ? new Step.DeletePod(pod) : null,
                Failure = ToFailure(failed, former?.Attempts, null),
                Effect = failed.Effect,
                LookAgainAt = failed.Reason == Reasons.FailedMount ? seen.Now + PendingLook : null,
                Restarting = changed,
            };
        }

        // Counted once per pod: a pod made before the next attempt is the one that the attempt follows.
        var counted = former?.NextRetryAt is { } planned && (pod.Metadata.CreationTimestamp ?? seen.Now) < planned && former.Attempts > 0;
        var attempts = counted
            ? former!.Attempts!.Value
            : (WasReady(seen, pod) && failed.Reason == Reasons.NodeLost ? 0 : former?.Attempts ?? 0) + 1;
        var retryAt = counted ? former!.NextRetryAt!.Value : Seconds(seen.Now) + Backoff.After(attempts, failed.Reason);
        var failure = ToFailure(failed, attempts, retryAt);
        if (changed || seen.Now >= retryAt || (counted && AskedSince(seen.Workspace, former!)))
        {
            return new PodPlan
            {
                State = PodState.Ending,
                Step = new Step.DeletePod(pod),

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

    private static PodPlan Healthy(Observation seen, Pod pod, WorkspaceFailure? failure)
    {
        var ready = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready" && c.Status == "True");
        failure = failure?.Attempts > 0 ? failure with { NextRetryAt = null } : null;
        if (ready is null)
        {
            return new PodPlan
            {
                State = PodState.Starting,
                Failure = failure,
                LookAgainAt = seen.Now + PendingLook,
            };
        }

        var forgetAt = (ready.LastTransitionTime ?? seen.Now) + Backoff.ForgottenAfter;
        return failure is null || seen.Now >= forgetAt
            ? new PodPlan { State = PodState.Ready }
            : new PodPlan
            {
                State = PodState.Ready,
                Failure = failure,
                LookAgainAt = forgetAt,
            };
    }

    /// <summary>Whether this pod had served its person: a node that takes it down then says nothing about earlier attempts.</summary>
    private static bool WasReady(Observation seen, Pod pod) =>
        seen.Workspace.Status?.Start?.ReadyAt is { } readyAt && readyAt >= pod.Metadata.CreationTimestamp;

    private static bool RestartAsked(UserWorkspace workspace, Pod pod) =>
        workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt) is { } asked
        && pod.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt) != asked;

    /// <summary>Whether a person asked for a start or restart after the failure: then there is no reason to wait.</summary>
    private static bool AskedSince(UserWorkspace workspace, WorkspaceFailure failure)
    {
        var failedAt = failure.NextRetryAt - Backoff.After(failure.Attempts ?? 1, failure.Reason);
        var request = workspace.Spec.LastRequest;
        return (request?.By is RequestedBy.User or RequestedBy.Admin && request.At > failedAt)
            || (
                DateTimeOffset.TryParse(
                    workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt),
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out var restarted
                )
                && restarted > failedAt
            );
    }

    private static WorkspaceFailure ToFailure(PodFailure failure, int? attempts, DateTimeOffset? next) =>
        new()
        {
            Class = failure.Class,
            Reason = failure.Reason,
            Message = failure.Message,
            Attempts = attempts > 0 ? attempts : null,
            NextRetryAt = next,
        };

    // Times on the wire have whole seconds; what is compared later has to survive the way.
    private static DateTimeOffset Seconds(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), time.Offset);
}
