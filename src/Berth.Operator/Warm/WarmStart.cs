using System.Collections.Concurrent;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>Gives a waiting pod to a workspace that would otherwise get a new one.</summary>
/// <remarks>
/// <code>
///  decision to make pod and volume
///    1  network policy of the workspace      the pod is never open to others, not for a moment
///    2  pod: labels, owner, annotations      resourceVersion says that nobody else took it; from here on it is found by label
///    3  volume: labels                       resourceVersion, likewise; from here on it is the person's
///    4  decided again with both: service, route, status
/// </code>
/// After a crash the next look finds: after 1 nothing but a policy; after 2 a pod of the workspace whose volume is still the pool's, and
/// goes
/// on with 3 (<see cref="ResumeAsync"/>), or deletes the pod when the volume is gone; after 3 pod and volume. Nobody is let in before 4, so
/// a volume that never got to 3 is empty, and the pool may delete it.
/// </remarks>
internal sealed class WarmStart(
    IKubeClient client,
    PoolCaches pools,
    ConsistencyGate gate,
    BlueprintSettings settings,
    WarmMetrics metrics,
    TimeProvider time,
    ILogger logger)
{
    // More than a few races lost means that the pool is as good as empty: a new pod is not slower then.
    private const int MostTries = 8;

    private readonly Applier _applier = new(client, WorkspaceReconciler.FieldManager);

    // Pods that a worker of this process claims, or has claimed before the caches show it: the others need not lose a race for them.
    private readonly ConcurrentDictionary<string, (ResourceKey Pod, bool Done)> _taken = new(StringComparer.Ordinal);

    /// <summary>Claims a pod in place of the one that was decided to be made; the same decision when none fits.</summary>
    /// <param name="key">The workspace.</param>
    /// <param name="seen">What there is.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="mayClaim">False where nobody has looked behind the caches: a claim is only counted as not made.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<(Observation Seen, Decision Decision)> TryAsync(
        ResourceKey key, Observation seen, Decision decision, bool mayClaim, CancellationToken cancellationToken)
    {
        if (decision.Steps.OfType<Step.CreatePod>().FirstOrDefault()?.Object is not { } pod || seen.Template is not { } template)
        {
            return (seen, decision);
        }

        var began = time.GetTimestamp();
        var claim = decision.Steps.OfType<Step.ApplyVolume>().FirstOrDefault()?.Object;
        var choice = WarmChoice.Make(
            seen, pod, claim, mayClaim ? pools.PodsOf(template.Key()) : [], () => PoolBlueprint.For(template, settings).Pool?.Revision);
        if (choice.Reason is { } reason)
        {
            metrics.Cold(reason);
            return (seen, decision);
        }

        if (!await IsStillWantedAsync(seen.Workspace, cancellationToken))
        {
            return (seen, decision);
        }

        if (decision.Steps.OfType<Step.ApplyNetworkPolicy>().FirstOrDefault() is { } step)
        {
            try
            {
                seen = seen with { NetworkPolicy = Wrote(key, await _applier.ApplyAsync(step.Object, cancellationToken)) };
            }
            catch (KubeException e) when (IsRefusal(e))
            {
                // The way without a pool meets the same refusal, and tells it.
                return (seen, decision);
            }
        }

        Forget();
        var tries = 0;
        foreach (var candidate in choice.Candidates)
        {
            if (tries == MostTries)
            {
                break;
            }

            if (!_taken.TryAdd(candidate.Metadata.Uid!, (candidate.Key(), false)))
            {
                continue;
            }

            tries++;
            var done = false;
            try
            {
                if (await ClaimAsync(key, seen, pod, candidate, cancellationToken) is { } warm)
                {
                    done = _taken.TryUpdate(candidate.Metadata.Uid!, (candidate.Key(), true), (candidate.Key(), false));
                    metrics.Warm(time.GetElapsedTime(began));
                    WarmLog.Claimed(logger, key, candidate.Metadata.Name!);
                    return (warm, Told(Decider.Decide(warm, settings), candidate));
                }
            }
            catch (KubeException e) when (IsRefusal(e))
            {
                // A rule of the cluster, or a right that is missing. People are not to wait for somebody to mend it.
                WarmLog.ClaimRefused(logger, key, candidate.Metadata.Name!, e.Message);
                metrics.Cold(WarmChoice.Refused);
                return (seen, decision);
            }
            finally
            {
                if (!done)
                {
                    _taken.TryRemove(candidate.Metadata.Uid!, out _);
                }
            }
        }

        metrics.Cold(WarmChoice.Raced);
        return (seen, decision);
    }

    /// <summary>Goes on with a claim that ended between pod and volume.</summary>
    /// <returns>What is seen now; null when the pod had to be given up, and the workspace is to be looked at again.</returns>
    internal async Task<Observation?> ResumeAsync(ResourceKey key, Observation seen, CancellationToken cancellationToken)
    {
        if (seen.Pod is not { Metadata.DeletionTimestamp: null } pod
            || seen.Volume is not null
            || seen.Workspace.Metadata.DeletionTimestamp is not null
            || PoolPods.ClaimedAt(pod) is null
            || !Children.Owns(seen.Workspace, pod.Metadata))
        {
            return seen;
        }

        WarmLog.Resumed(logger, key, pod.Metadata.Name!);
        return await ClaimVolumeAsync(key, seen.Workspace, pod, cancellationToken) is { } volume ? seen with { Volume = volume } : null;
    }

    private void Forget()
    {
        foreach (var (uid, (pod, done)) in _taken)
        {
            if (done && (pools.Pods.Store.Get(pod) is not { } known || !PoolPods.IsWaiting(known)))
            {
                _taken.TryRemove(uid, out _);
            }
        }
    }

    private async Task<Observation?> ClaimAsync(
        ResourceKey key, Observation seen, Pod wanted, Pod candidate, CancellationToken cancellationToken)
    {
        var pod = await ClaimPodAsync(key, seen.Workspace, wanted, candidate, cancellationToken);
        return pod is not null && await ClaimVolumeAsync(key, seen.Workspace, pod, cancellationToken) is { } volume
            ? seen with { Pod = pod, Volume = volume }
            : null;
    }

    private async Task<Pod?> ClaimPodAsync(
        ResourceKey key, UserWorkspace workspace, Pod wanted, Pod candidate, CancellationToken cancellationToken)
    {
        // A second look, because a kubelet may have written the status since; a third would only be a sign of a race.
        for (var look = 0; look < 2; look++)
        {
            try
            {
                var claimed = await client.PatchAsync<Pod>(
                    candidate.Metadata.Namespace, candidate.Metadata.Name!,
                    ClaimPatches.Pod(workspace, wanted, candidate, time.GetUtcNow()),
                    new WriteOptions { FieldManager = WorkspaceReconciler.FieldManager }, cancellationToken);
                return Wrote(key, claimed);
            }
            catch (KubeException e) when (e.IsConflict)
            {
                var now = await client.TryGetAsync<Pod>(candidate.Metadata.Namespace, candidate.Metadata.Name!, cancellationToken);
                if (now is null || now.Metadata.Uid != candidate.Metadata.Uid || !PoolPods.IsWaiting(now) || !PoolPods.IsReady(now))
                {
                    return null;
                }

                candidate = now;
            }
            catch (KubeException e) when (e.IsNotFound)
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>Makes the pod's volume the workspace's. Where that cannot be, the pod is deleted: it must not serve anybody.</summary>
    private async Task<PersistentVolumeClaim?> ClaimVolumeAsync(
        ResourceKey key, UserWorkspace workspace, Pod pod, CancellationToken cancellationToken)
    {
        var name = PodForm.ClaimOf(pod) ?? pod.Metadata.Name!;

        // What the caches hold will mostly do: the version says whether it is still so.
        for (var volume = pools.Claims.Store.Get(new ResourceKey(key.Namespace, name)) ?? await ReadAsync();
            volume is { Metadata.DeletionTimestamp: null };
            volume = await ReadAsync())
        {
            if (Children.OwnsVolume(workspace, volume.Metadata))
            {
                return volume;
            }

            if (PoolPods.IsClaimed(volume.Metadata) || volume.Metadata.Labels?.ContainsKey(Labels.Pool) != true)
            {
                break;
            }

            try
            {
                return Wrote(key, await client.PatchAsync<PersistentVolumeClaim>(
                    key.Namespace, name, ClaimPatches.Volume(workspace, volume),
                    new WriteOptions { FieldManager = WorkspaceReconciler.FieldManager }, cancellationToken));
            }
            catch (KubeException e) when (e.IsConflict || e.IsNotFound)
            {
                // Something changed: look again. Each turn means that somebody else's write went through.
            }
            catch (KubeException e) when (IsRefusal(e))
            {
                await GiveUpAsync(key, pod, cancellationToken);
                throw;
            }
        }

        Task<PersistentVolumeClaim?> ReadAsync() => client.TryGetAsync<PersistentVolumeClaim>(key.Namespace, name, cancellationToken);

        await GiveUpAsync(key, pod, cancellationToken);
        return null;
    }

    private async Task GiveUpAsync(ResourceKey key, Pod pod, CancellationToken cancellationToken)
    {
        WarmLog.GivenUp(logger, key, pod.Metadata.Name!);
        try
        {
            await client.DeleteAsync<Pod>(
                key.Namespace, pod.Metadata.Name!, new DeleteOptions { Uid = pod.Metadata.Uid }, cancellationToken);
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone already.
        }
    }

    private static bool IsRefusal(KubeException e) => e.Code is 400 or 403 or 405 or 413 or 422;

    /// <summary>Asks the API, not a cache: a pod given to a workspace that is gone or stopped would be lost for others.</summary>
    private async Task<bool> IsStillWantedAsync(UserWorkspace workspace, CancellationToken cancellationToken) =>
        await client.TryGetAsync<UserWorkspace>(workspace.Metadata.Namespace, workspace.Metadata.Name!, cancellationToken) is
        { Metadata.DeletionTimestamp: null } now
        && now.Metadata.Uid == workspace.Metadata.Uid
        && now.Metadata.Generation == workspace.Metadata.Generation
        && now.Status?.PodName is null
        && now.Status?.Storage?.ClaimName is null;

    private T Wrote<T>(ResourceKey key, T written)
        where T : class, IKubeResource<T>
    {
        gate.WroteAt(key, written);
        return written;
    }

    // That a volume "was found" would be true, and nothing that a person should read.
    private static Decision Told(Decision decision, Pod candidate) => decision with
    {
        Notes =
        [
            new Note(false, Reasons.Claimed,
                $"Took pod {candidate.Metadata.Name} of template {candidate.Metadata.Labels?.GetValueOrDefault(Labels.Template)}, which "
                    + "was waiting."),
            .. decision.Notes.Where(n => n.Reason != Reasons.VolumeFound),
        ],
    };
}
