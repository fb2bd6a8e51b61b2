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

    /// <summary>Time until the first look at a pod that takes long, for events that no watch brings; it grows with the pod's age.</summary>
    internal static readonly TimeSpan PendingLook = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan LongestPendingLook = TimeSpan.FromMinutes(2);

    /// <summary>Time between looks at a pod whose node may be gone: no watch tells of nodes.</summary>
    internal static readonly TimeSpan LostLook = TimeSpan.FromSeconds(30);

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
            return Ending(seen, pod, deletion, stop, failure);
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

        if (seen.Node is { Exists: false } or { OutOfService: true } && FailureClassifier.IsLost(pod, seen.Now))
        {
            return new PodPlan
            {
                State = PodState.Ending,
                Step = new Step.DeletePod(pod) { AsSeen = true },
                Restarting = true,
                Failure = failure,
            };
        }

        return Classify(seen, pod) is { } failed ? FailedPods.Plan(seen, blueprint, pod, failed, failure) : Healthy(seen, pod, failure);
    }

    /// <summary>
    /// A pod on its way out. It is waited for, whatever happened to its node: a second one on the same volume could destroy data. Only
    /// where the node itself is deleted, nothing of it can run any more, and the pod is taken out of the API by force.
    /// </summary>
    private static PodPlan Ending(Observation seen, Pod pod, DateTimeOffset deletion, bool stop, WorkspaceFailure? failure)
    {
        var lost = FailureClassifier.IsLost(pod, seen.Now);
        if (lost && seen.Node is { Exists: false })
        {
            return new PodPlan { State = PodState.Ending, Step = new Step.ForceDeletePod(pod), Restarting = !stop, Failure = failure };
        }

        var why = stop && !lost ? null : FailureClassifier.Classify(pod, [], seen.Now);
        return new PodPlan
        {
            State = PodState.Ending,
            Failure = why is null ? failure : FailedPods.ToFailure(why, failure?.Attempts, null),
            Effect = why?.Effect,
            LookAgainAt = lost ? seen.Now + LostLook : deletion + FailureClassifier.StrandedAfter,
            Restarting = !stop,
        };
    }

    /// <summary>What is wrong with a pod, or with how long it takes.</summary>
    private static PodFailure? Classify(Observation seen, Pod pod)
    {
        var failed = FailureClassifier.Classify(pod, seen.PodEvents, seen.Now);
        if (WasReady(seen, pod) || ReadySince(pod) is not null)
        {
            // It had served its person; what it does now, it does without its node.
            return failed ?? (seen.Node is { Answers: false } && SilentSince(seen, pod) is not null ? FailureClassifier.Lost(pod) : null);
        }

        if (failed is not (null or { Effect: FailureEffect.Wait, Reason: Reasons.FailedMount }) || !IsStalled(seen, pod))
        {
            return failed;
        }

        // It may have been ready and served, without anybody here having seen it, before its node fell silent.
        return seen.Node is { Answers: false } ? FailureClassifier.Lost(pod) : Progress.Stalled(pod, ProgressTimeout(seen), failed);
    }

    /// <summary>Nothing about it changed for as long as a start may take.</summary>
    internal static bool IsStalled(Observation seen, Pod pod) => StalledAt(seen, pod) <= seen.Now;

    private static TimeSpan ProgressTimeout(Observation seen) => TimeSpan.FromSeconds(
        (seen.PodTemplate ?? seen.Template)?.Spec.Lifetime?.ProgressTimeoutSeconds ?? Progress.DefaultTimeoutSeconds);

    private static DateTimeOffset? StalledAt(Observation seen, Pod pod) =>
        Progress.Newest(pod, seen.PodEvents, seen.Now) + ProgressTimeout(seen);

    /// <summary>
    /// Since when a pod that was ready is not, and none of its containers ended: its node may be gone. Null: that is not so.
    /// </summary>
    internal static DateTimeOffset? SilentSince(Observation seen, Pod pod) =>
        pod is { Metadata.DeletionTimestamp: null, Status.Phase: "Running" } && WasReady(seen, pod)
            ? pod.Status.Conditions?.FirstOrDefault(c => c.Type == "Ready" && c.Status != "True")?.LastTransitionTime
            : null;

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

    private static PodPlan Healthy(Observation seen, Pod pod, WorkspaceFailure? failure)
    {
        var ready = ReadySince(pod);
        failure = failure?.Attempts > 0 ? failure with { NextRetryAt = null } : null;
        if (ready is null)
        {
            return new PodPlan
            {
                State = PodState.Starting,
                Failure = failure,
                LookAgainAt = NextLook(seen, pod),
            };
        }

        var forgetAt = ready.Value + Backoff.ForgottenAfter;
        return failure is null || seen.Now >= forgetAt
            ? new PodPlan { State = PodState.Ready }
            : new PodPlan
            {
                State = PodState.Ready,
                Failure = failure,
                LookAgainAt = forgetAt,
            };
    }

    /// <summary>
    /// When a pod that is on its way is looked at again: what has waited for a node for minutes will mostly wait on, and each look costs
    /// two lists. What was started, or may have been, is watched closely: its node may be gone, and no watch tells of nodes.
    /// </summary>
    internal static DateTimeOffset NextLook(Observation seen, Pod pod)
    {
        var age = pod.Status?.Phase == "Running" ? TimeSpan.Zero : seen.Now - (pod.Metadata.CreationTimestamp ?? seen.Now);
        var wait = TimeSpan.FromTicks(Math.Clamp(age.Ticks / 2, PendingLook.Ticks, LongestPendingLook.Ticks));
        return StalledAt(seen, pod) is { } stalled && stalled > seen.Now && stalled < seen.Now + wait ? stalled : seen.Now + wait;
    }

    private static DateTimeOffset? ReadySince(Pod pod) =>
        pod.Status?.Conditions?.FirstOrDefault(c => c is { Type: "Ready", Status: "True" }) is { } ready
            ? ready.LastTransitionTime ?? pod.Metadata.CreationTimestamp ?? DateTimeOffset.MinValue
            : null;

    /// <summary>Whether this pod had served its person: a node that takes it down then says nothing about earlier attempts.</summary>
    internal static bool WasReady(Observation seen, Pod pod) =>
        seen.Workspace.Status?.Start?.ReadyAt is { } readyAt && readyAt >= pod.Metadata.CreationTimestamp;

    private static bool RestartAsked(UserWorkspace workspace, Pod pod) =>
        workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt) is { } asked
        && pod.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt) != asked;

    /// <summary>Whether a person asked for a start or restart after the failure: then there is no reason to wait.</summary>
    internal static bool AskedSince(UserWorkspace workspace, WorkspaceFailure failure) =>
        failure.NextRetryAt is { } next && AskedSince(workspace, next - Backoff.After(failure.Attempts ?? 1, failure.Reason));

    internal static bool AskedSince(UserWorkspace workspace, DateTimeOffset time) =>
        (workspace.Spec.LastRequest is { By: RequestedBy.User or RequestedBy.Admin } request && request.At > time)
        || Times.Parse(workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt)) > time;
}
