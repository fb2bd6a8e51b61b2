using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>Something happened that must never happen.</summary>
internal sealed class ViolationException(string message) : Exception(message);

/// <summary>
/// What holds at every moment, whatever fails: looked at after each change of the API, by the truth of the API and not by what the
/// operator saw.
/// </summary>
internal sealed class Invariants
{
    private readonly SimulatedApi _api;
    private readonly SimulatedCluster _cluster;
    private readonly SimulatedEdges _edges;
    private readonly FakeTimeProvider _time;
    private readonly Func<SimulatedOperator?> _actor;
    private readonly Func<bool> _blurred;

    /// <summary>Pods for which there was, at some time of their life, a reason to end them.</summary>
    private readonly HashSet<string> _mayEnd = new(StringComparer.Ordinal);

    /// <summary>
    /// Pods that an administrator had ended by force: their objects go at once, and on a node that falls silent the container goes on until it is
    /// back. That is what docs/operating.md says of a forced stop, and what nothing else may bring about.
    /// </summary>
    private readonly HashSet<string> _forced = new(StringComparer.Ordinal);

    private readonly HashSet<string> _wasReady = new(StringComparer.Ordinal);

    /// <summary>Workspaces whose network policy somebody else took away: the operator may learn of it too late.</summary>
    private readonly HashSet<string> _policyTaken = new(StringComparer.Ordinal);

    internal Invariants(
        SimulatedApi api, SimulatedCluster cluster, SimulatedEdges edges, FakeTimeProvider time, Func<SimulatedOperator?> actor,
        Func<bool> blurred)
    {
        (_api, _cluster, _edges, _time, _actor, _blurred) = (api, cluster, edges, time, actor, blurred);
        api.Changed += Look;
        cluster.Starting += LookAtStart;
    }

    private void Look(Change change)
    {
        var by = _actor();
        switch (change.Last.Kind.Kind)
        {
            case "Pod":
                LookAtPod(change, by);
                OnePodPerVolume();
                break;
            case "PersistentVolumeClaim" when by is not null && change.Former is { IsEnding: false } former
                && (change.Now is null || change.Now.IsEnding):
                VolumeMayGo(former.As<PersistentVolumeClaim>(), by);
                break;
            case "PersistentVolumeClaim" when by is not null && change.Now is { } now:
                StaysWithOne(change.Former?.As<PersistentVolumeClaim>().Metadata, now.As<PersistentVolumeClaim>().Metadata);
                break;
            case "NetworkPolicy":
                if (change.Now is null && by is null)
                {
                    _policyTaken.Add(change.Last.Key.Name);
                }
                else if (change.Former is null && by is not null)
                {
                    _policyTaken.Remove(change.Last.Key.Name);
                }
                else if (change.Now is null && by is not null)
                {
                    PolicyMayGo(change.Last.As<NetworkPolicy>());
                }

                break;
            case "UserWorkspace" when by is not null && change is { Former: { } former, Now: { } now }:
                LookAtWorkspace(former.As<UserWorkspace>(), now.As<UserWorkspace>(), by);
                by.Told(change.Last.Key);
                break;
        }

        NoteReasons();
    }

    private void LookAtPod(Change change, SimulatedOperator? by)
    {
        var former = change.Former?.As<Pod>();
        var now = change.Now?.As<Pod>();
        if (by is null)
        {
            return;
        }

        if (now is not null && former is null)
        {
            Protected(now, WorkspaceOf(now), now.Metadata.Labels?.GetValueOrDefault(Labels.Pool));
            Wished(now, by);
        }
        else if (now is not null && former is not null && now.Metadata.DeletionTimestamp is null)
        {
            StaysWithOne(former.Metadata, now.Metadata);
            if (WorkspaceOf(former) is null && WorkspaceOf(now) is { } claimedBy)
            {
                Protected(now, claimedBy, null);
                Wished(now, by);
            }
        }

        if (now is null && former is not null && WorkspaceOf(former) is { } forced
            && _api.Get<UserWorkspace>(new(former.Metadata.Namespace!, forced))?.Spec.Administration?.ForceStopAt is not null)
        {
            _forced.Add(former.Metadata.Uid!);
        }

        if (former is { Metadata.DeletionTimestamp: null } && now is not { Metadata.DeletionTimestamp: null }
            && WorkspaceOf(former) is { } workspace && !_mayEnd.Contains(former.Metadata.Uid!) && !IsLate(former))
        {
            throw new ViolationException(
                $"Pod {former.Metadata.Name} of {workspace} was deleted although nobody wished it and nothing was wrong with it.");
        }
    }

    /// <summary>A pod is made or taken only for somebody who wished for it since the operator looked, and whom the ceilings let in.</summary>
    private void Wished(Pod pod, SimulatedOperator by)
    {
        if (WorkspaceOf(pod) is not { } name)
        {
            return;
        }

        var uid = OwnerReferences.ControllerOf(pod)?.Uid;
        var wishes = _api.Log(UserWorkspace.Descriptor).Where(c => c.Last.Uid == uid).ToList();
        var lately = wishes.Where(c => c.Version > by.Since).Append(wishes.LastOrDefault(c => c.Version <= by.Since));
        if (!lately.Any(c => c?.Now?.As<UserWorkspace>() is
            { Metadata.DeletionTimestamp: null, Spec: { DesiredState: DesiredStates.Running, Administration: null or { Frozen: null or false } } }))
        {
            throw new ViolationException($"Pod {pod.Metadata.Name} was made for {name}, and since version {by.Since} nobody wished for it.");
        }

        if (!lately.Any(c => c?.Now?.As<UserWorkspace>() is { } wish && Environments.Has(pod, wish)))
        {
            throw new ViolationException(
                $"Pod {pod.Metadata.Name} was made for {name} with variables that it did not have since version {by.Since}: {Environments.Of(pod)}.");
        }

        if (!_blurred() && _api.Get<UserWorkspace>(new(pod.Metadata.Namespace!, name)) is { } workspace)
        {
            Fits(workspace, by);
        }
    }

    private void Fits(UserWorkspace workspace, SimulatedOperator by)
    {
        // Between two pods it keeps the place that it has, whatever becomes of the ceilings.
        if (workspace.Status?.Conditions?.Any(c => c is { Type: ConditionTypes.Admitted, Status: "True", Reason: "Admitted" }) == true)
        {
            return;
        }

        var running = _api.All<UserWorkspace>().Where(w => _cluster.Pods.Any(p => Children.Owns(w, p.Metadata))).ToList();
        var person = running.Count(w => OwnerHash(w) == OwnerHash(workspace));

        // A place that an earlier policy gave while it waited stays, whatever came before the pod was made.
        var log = _api.Log(BerthPolicy.Descriptor);
        var since = Math.Min(by.Since, by.PolicyAt(workspace.Key()));
        var policies = log.Where(c => c.Version > since).Append(log.Last(c => c.Version <= since)).Select(c => c.Now!.As<BerthPolicy>().Spec).ToList();
        if (policies.All(p => person > p.PerPerson?.Running || running.Count > p.PerNamespace?.Running))
        {
            throw new ViolationException(
                $"{workspace.Metadata.Name} was started as number {person} of its owner and {running.Count} of its namespace, which is above a ceiling.");
        }
    }

    /// <summary>No pod, not for a moment, without the network policy that protects it.</summary>
    private void Protected(Pod pod, string? workspace, string? pool)
    {
        var name = workspace ?? PoolBlueprint.PolicyPrefix + pool;
        var policy = _api.Get<NetworkPolicy>(new(pod.Metadata.Namespace!, name));
        if (policy is null && (_policyTaken.Contains(name) || (workspace is null && !CanRun(pod))))
        {
            return;
        }

        var selects = policy?.Spec?.PodSelector?.MatchLabels?.All(l => pod.Metadata.Labels?.GetValueOrDefault(l.Key) == l.Value) == true;
        var owner = policy is null ? null : OwnerReferences.ControllerOf(policy)?.Uid;
        if (!selects || (workspace is not null && owner != OwnerReferences.ControllerOf(pod)?.Uid))
        {
            throw new ViolationException($"Pod {pod.Metadata.Name} was made, or given to {workspace}, before there was a network policy for it.");
        }
    }

    /// <summary>A pod without its volume never gets beyond waiting for it.</summary>
    private bool CanRun(Pod pod) => PodForm.ClaimOf(pod) is not { } claim
        || _api.Get<PersistentVolumeClaim>(new(pod.Metadata.Namespace!, claim)) is not null;

    private void PolicyMayGo(NetworkPolicy policy)
    {
        var pool = policy.Metadata.Labels?.GetValueOrDefault(Labels.Pool);
        if (_cluster.Pods.FirstOrDefault(p => WorkspaceOf(p) is null && p.Metadata.Labels?.GetValueOrDefault(Labels.Pool) == pool && CanRun(p))
            is { } open)
        {
            throw new ViolationException($"Policy {policy.Metadata.Name} was deleted, and {open.Metadata.Name} is open to all without it.");
        }
    }

    private void OnePodPerVolume()
    {
        var twice = _cluster.Pods
            .Where(p => p.Status?.Phase is not ("Failed" or "Succeeded") && PodForm.ClaimOf(p) is not null)
            .GroupBy(p => (p.Metadata.Namespace, PodForm.ClaimOf(p)))
            .FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
        {
            throw new ViolationException($"Volume {twice.Key.Item2} has two pods: {string.Join(", ", twice.Select(p => p.Metadata.Name))}.");
        }
    }

    private void LookAtStart(Pod pod)
    {
        if (PodForm.ClaimOf(pod) is not { } claim)
        {
            return;
        }

        if (_cluster.Running.Any(r => r.Value.Claim == claim && r.Key != pod.Metadata.Uid
            && !(_forced.Contains(r.Key) && _cluster.IsDown(r.Value.Node))))
        {
            throw new ViolationException($"Two containers run on volume {claim}.");
        }

        var volume = _api.Get<PersistentVolumeClaim>(new(pod.Metadata.Namespace!, claim))!;
        var (theirs, ours) = (volume.Metadata.Labels?.GetValueOrDefault(Labels.Owner), pod.Metadata.Labels?.GetValueOrDefault(Labels.Owner));
        var unclaimed = WorkspaceOf(pod) is null || (volume.Metadata.Labels?.ContainsKey(Labels.Pool) == true && theirs is null);
        if (!unclaimed && theirs != ours)
        {
            throw new ViolationException($"Pod {pod.Metadata.Name} was given volume {claim}, which is not its owner's.");
        }
    }

    /// <summary>A volume is deleted only when the workspace goes and its policy said so since the operator looked, or when it never was anybody's.</summary>
    private void VolumeMayGo(PersistentVolumeClaim volume, SimulatedOperator by)
    {
        var labels = volume.Metadata.Labels;
        if (labels?.GetValueOrDefault(Labels.Workspace) is not { } name)
        {
            if (labels?.ContainsKey(Labels.Pool) != true || _cluster.Pods.Any(p => PodForm.ClaimOf(p) == volume.Metadata.Name))
            {
                throw new ViolationException($"Volume {volume.Metadata.Name} was deleted, and it is not ours, or in use.");
            }

            return;
        }

        if (IsReleased(volume))
        {
            return;
        }

        var key = new ResourceKey(volume.Metadata.Namespace!, name);
        var log = _api.Log(UserWorkspace.Descriptor).Where(c => c.Last.Key == key).ToList();
        var lately = log.Where(c => c.Version > by.Since).Append(log.LastOrDefault(c => c.Version <= by.Since));
        if (!lately.Any(c => c?.Now?.As<UserWorkspace>() is
            { Metadata.DeletionTimestamp: not null, Spec: { Storage.DeletionPolicy: DeletionPolicies.Delete, Administration: null or { LegalHold: null or false } } }
                workspace && labels.GetValueOrDefault(Labels.Owner) == OwnerHash(workspace)))
        {
            throw new ViolationException($"Volume {volume.Metadata.Name} was deleted although it is to be kept.");
        }
    }

    /// <summary>It has been without a workspace for as long as it is kept, nobody uses it, and no hold is on it.</summary>
    private bool IsReleased(PersistentVolumeClaim volume) =>
        Times.Parse(volume.Metadata.Annotations?.GetValueOrDefault(Annotations.ReleasedAt)) is { } since
        && _time.GetUtcNow() - since >= TimeSpan.FromSeconds(Simulation.UndeleteSeconds)
        && volume.Metadata.Annotations?.ContainsKey(Annotations.LegalHold) != true
        && !_cluster.Pods.Any(p => PodForm.ClaimOf(p) == volume.Metadata.Name);

    private static void StaysWithOne(ObjectMeta? former, ObjectMeta now)
    {
        foreach (var label in (string[])[Labels.Workspace, Labels.Owner])
        {
            if (former?.Labels?.GetValueOrDefault(label) is { } before && before != now.Labels?.GetValueOrDefault(label))
            {
                throw new ViolationException($"{now.Name} belonged to {before} and now to {now.Labels?.GetValueOrDefault(label)}.");
            }
        }
    }

    private void LookAtWorkspace(UserWorkspace former, UserWorkspace now, SimulatedOperator by)
    {
        if (former.Spec.DesiredState != DesiredStates.Stopped && now.Spec.DesiredState == DesiredStates.Stopped)
        {
            StopIsFair(former, now);
        }

        if (now.Status?.Activity?.Last < former.Status?.Activity?.Last || (former.Status?.Activity?.Last is not null && now.Status?.Activity?.Last is null))
        {
            throw new ViolationException($"The use of {now.Metadata.Name} at {former.Status!.Activity!.Last:HH:mm:ss}, which the edge wrote, was overwritten.");
        }

        if (former.Status?.ObservedGeneration == now.Status?.ObservedGeneration && former.Status?.Phase == now.Status?.Phase)
        {
            return;
        }

        if (now.Status?.ObservedGeneration > former.Metadata.Generation || now.Status?.ObservedGeneration < former.Status?.ObservedGeneration)
        {
            throw new ViolationException(
                $"The status of {now.Metadata.Name} is that of generation {now.Status?.ObservedGeneration} after {former.Status?.ObservedGeneration} of {former.Metadata.Generation}.");
        }

        var spec = _api.Log(UserWorkspace.Descriptor)
            .Where(c => c.Now?.Uid == now.Metadata.Uid)
            .Select(c => c.Now!.As<UserWorkspace>())
            .Last(w => w.Metadata.Generation == now.Status!.ObservedGeneration).Spec;
        var stop = spec.DesiredState == DesiredStates.Stopped || spec.Administration?.Frozen == true;
        switch (now.Status!.Phase)
        {
            case WorkspacePhases.Running when stop || !AtSomeTime(by.Since, now, p => p is { Metadata.DeletionTimestamp: null } && SimulatedCluster.IsReady(p)):
                throw new ViolationException($"{now.Metadata.Name} is told to run, and since version {by.Since} its pod never answered.");
            case WorkspacePhases.Stopped when !stop || !AtSomeTime(by.Since, now, p => p is null):
                throw new ViolationException($"{now.Metadata.Name} is told to be stopped, and since version {by.Since} it always had a pod, or should run.");
        }
    }

    /// <summary>A stop by rule was announced, is due, and all use that a living replica knows of is older than the time-out.</summary>
    private void StopIsFair(UserWorkspace former, UserWorkspace now)
    {
        var activity = former.Status?.Activity;
        var reason = now.Spec.LastRequest?.Reason;
        if (reason == RequestReasons.ForceStop && former.Spec.Administration?.ForceStopAt is not null)
        {
            return;
        }

        if (activity?.StopsAt is not { } due || due > _time.GetUtcNow() || activity.AnnouncedAt > due - TimeSpan.FromSeconds(Simulation.WarnSeconds))
        {
            throw new ViolationException($"{now.Metadata.Name} was stopped ({reason}) without an announcement in time.");
        }

        if (reason == RequestReasons.Idle)
        {
            var use = _edges.Uses
                .Where(u => u.Workspace == now.Metadata.Name && _time.GetUtcNow() - u.Renewed < TimeSpan.FromMinutes(5))
                .Select(u => u.At)
                .Append(DateTimeOffset.MinValue)
                .Max();
            if (use <= due && use > due - TimeSpan.FromSeconds(Simulation.IdleSeconds))
            {
                throw new ViolationException($"{now.Metadata.Name} was stopped for lack of use; it was used at {use:HH:mm:ss}, the stop was due at {due:HH:mm:ss}.");
            }
        }
    }

    /// <summary>Whether something held of the pod of a workspace at some version since the operator looked.</summary>
    private bool AtSomeTime(long since, UserWorkspace workspace, Func<Pod?, bool> holds)
    {
        var log = _api.Log(Pod.Descriptor);
        var versions = log.Where(c => c.Version > since).Select(c => c.Version).Prepend(since);
        return versions.Any(v =>
        {
            var pods = _api.ListAt(Pod.Descriptor, v).Select(r => r.As<Pod>()).Where(p => Children.Owns(workspace, p.Metadata)).ToList();
            return pods.Count == 0 ? holds(null) : pods.Exists(p => holds(p));
        });
    }

    private void NoteReasons()
    {
        foreach (var pod in _cluster.Pods)
        {
            if (SimulatedCluster.IsReady(pod))
            {
                _wasReady.Add(pod.Metadata.Uid!);
            }

            if (WorkspaceOf(pod) is { } name && !_mayEnd.Contains(pod.Metadata.Uid!) && HasReason(pod, name))
            {
                _mayEnd.Add(pod.Metadata.Uid!);
            }
        }
    }

    /// <summary>Its start takes longer than it may, or its node is gone for good.</summary>
    private bool IsLate(Pod pod) =>
        (!_wasReady.Contains(pod.Metadata.Uid!)
            && _time.GetUtcNow() - pod.Metadata.CreationTimestamp >= TimeSpan.FromSeconds(Progress.DefaultTimeoutSeconds))
        || HangsUnseen(pod)
        || (pod.Spec?.NodeName is { Length: > 0 } node
            && _api.Get<Node>(new("", node)) is null or { Spec.Taints: [{ Key: NodeSight.OutOfServiceTaint }] });

    /// <summary>It was ready for a moment that no operator saw, and has not been since: to the operator, it still starts.</summary>
    private bool HangsUnseen(Pod pod) =>
        pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready") is { Status: not "True", LastTransitionTime: { } since }
        && _time.GetUtcNow() - since >= TimeSpan.FromSeconds(Progress.DefaultTimeoutSeconds)
        && !(_api.Get<UserWorkspace>(new(pod.Metadata.Namespace!, WorkspaceOf(pod)!))?.Status?.Start?.ReadyAt >= pod.Metadata.CreationTimestamp);

    private bool HasReason(Pod pod, string name)
    {
        var workspace = _api.Get<UserWorkspace>(new(pod.Metadata.Namespace!, name));
        var claim = PodForm.ClaimOf(pod);
        return workspace is not { Metadata.DeletionTimestamp: null, Spec.DesiredState: DesiredStates.Running }
            || !Children.Owns(workspace, pod.Metadata)
            || OwnerHash(workspace) != pod.Metadata.Labels?.GetValueOrDefault(Labels.Owner)
            || (workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt) is { } asked
                && asked != pod.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt))
            || pod.Status?.Phase is "Failed" or "Succeeded" or "Unknown"
            || pod.Status?.ContainerStatuses?.Any(c => c.State?.Waiting is not null) == true
            || pod.Status?.Conditions?.Any(c => c is { Type: "PodScheduled", Reason: "Unschedulable" }) == true
            || workspace.Spec.Administration is { Frozen: true } or { ForceStopAt: not null }

            // A pod on a volume that is gone, or that is not its own, must not serve anybody.
            || _api.Get<PersistentVolumeClaim>(new(pod.Metadata.Namespace!, claim ?? "")) is not { Metadata.DeletionTimestamp: null }
            || _cluster.Pods.Any(p => p.Metadata.Uid != pod.Metadata.Uid && Children.Owns(workspace, p.Metadata));
    }

    private static string? WorkspaceOf(Pod pod) => pod.Metadata.Labels?.GetValueOrDefault(Labels.Workspace);

    private static string OwnerHash(UserWorkspace workspace) =>
        WorkspaceNames.OwnerHash(workspace.Spec.Owner.Issuer, workspace.Spec.Owner.Subject);
}
