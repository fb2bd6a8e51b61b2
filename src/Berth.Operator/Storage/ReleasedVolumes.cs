using System.Text.Json;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>
/// Looks after volumes whose workspace is gone. Nobody holds a finalizer for them: the key of a workspace that does not exist any more is
/// looked at when one of its volumes changes, when it goes, and at each start of the operator. A volume without a mark gets one (since when
/// it has no workspace), and the undelete window counts from that; so a lost operator makes the window longer, never shorter.
/// </summary>
internal sealed class ReleasedVolumes(
    IKubeClient client, WorkspaceCaches caches, Func<EffectivePolicy> policy, TimeProvider time, ILogger<ReleasedVolumes> logger)
{
    // A changed policy wakes workspaces; volumes without one look for themselves. No request is made for it.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan PodLook = TimeSpan.FromMinutes(1);

    // Its change wakes the key, unless that came before the look that was refused.
    private static readonly TimeSpan ConflictLook = TimeSpan.FromSeconds(5);

    /// <summary>Marks and deletes; returns when to look again.</summary>
    internal async Task<ReconcileResult> TendAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        await TidyAsync(key, cancellationToken);
        var volumes = caches.VolumeLookup.Labelled(key).Where(v => v.Metadata.DeletionTimestamp is null).ToList();
        if (volumes.Count == 0)
        {
            return ReconcileResult.Done;
        }

        // A workspace that no cache has seen yet may be there: it would be a poor welcome to delete its volume.
        if (volumes.Any(v => VolumeLookup.ReleasedAt(v.Metadata) is null || IsOver(v, policy(), time.GetUtcNow()))
            && await client.TryGetAsync<UserWorkspace>(key.Namespace, key.Name, cancellationToken) is not null)
        {
            return ReconcileResult.After(TimeSpan.FromSeconds(1));
        }

        var again = LookAgain;
        foreach (var volume in volumes)
        {
            if (VolumeLookup.ReleasedAt(volume.Metadata) is null)
            {
                if (!await MarkAsync(key, volume, cancellationToken))
                {
                    again = ConflictLook;
                }
            }
            else if (IsOver(volume, policy(), time.GetUtcNow()))
            {
                if (caches.PodLookup.Any(key))
                {
                    // The last pod may still write to it, on a node that is silent for instance.
                    again = again < PodLook ? again : PodLook;
                    continue;
                }

                if (!await DeleteAsync(client, key, volume, logger, cancellationToken))
                {
                    again = ConflictLook;
                }
            }
            else if (ExpiresAt(volume, policy()) is { } end && end - time.GetUtcNow() is var left && left < again)
            {
                again = left < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : left;
            }
        }

        return ReconcileResult.After(again);
    }

    /// <summary>When a released volume has been kept long enough; null: never, or a legal hold keeps it.</summary>
    internal static DateTimeOffset? ExpiresAt(PersistentVolumeClaim volume, EffectivePolicy policy) =>
        policy.Spec.Storage?.UndeleteSeconds is > 0 and var seconds
        && !IsHeld(volume.Metadata)
        && VolumeLookup.ReleasedAt(volume.Metadata) is { } since
            ? Clocks.Shift(since, TimeSpan.FromSeconds(seconds))
            : null;

    /// <summary>Whether it has been kept long enough.</summary>
    internal static bool IsOver(PersistentVolumeClaim volume, EffectivePolicy policy, DateTimeOffset now) =>
        volume.Metadata.DeletionTimestamp is null && ExpiresAt(volume, policy) <= now;

    /// <summary>Whether a legal hold is on it. Anything but its absence counts: an administrator's slip must not delete.</summary>
    internal static bool IsHeld(ObjectMeta metadata) => metadata.Annotations?.ContainsKey(Annotations.LegalHold) == true;

    /// <summary>Deletes exactly what was looked at: a workspace that took the volume since has changed it, and wins.</summary>
    /// <returns>False when it was changed since, or is gone.</returns>
    internal static async Task<bool> DeleteAsync(
        IKubeClient client, ResourceKey key, PersistentVolumeClaim volume, ILogger logger, CancellationToken cancellationToken)
    {
        if (IsHeld(volume.Metadata))
        {
            return true;
        }

        try
        {
            await client.DeleteAsync<PersistentVolumeClaim>(
                key.Namespace,
                volume.Metadata.Name!,
                new DeleteOptions { Uid = volume.Metadata.Uid, ResourceVersion = volume.Metadata.ResourceVersion },
                cancellationToken);
            StorageLog.Expired(logger, key, volume.Metadata.Name!, volume.Metadata.Annotations?.GetValueOrDefault(Annotations.ReleasedAt));
            return true;
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            return false;
        }
    }

    private async Task<bool> MarkAsync(ResourceKey key, PersistentVolumeClaim volume, CancellationToken cancellationToken)
    {
        var patch = new MetadataPatch
        {
            Metadata = new ObjectMeta
            {
                Uid = volume.Metadata.Uid,
                ResourceVersion = volume.Metadata.ResourceVersion,
                Annotations = new Dictionary<string, string> { [Annotations.ReleasedAt] = Times.Text(time.GetUtcNow()) },
            },
        };
        try
        {
            await client.PatchAsync<PersistentVolumeClaim>(
                key.Namespace,
                volume.Metadata.Name!,
                KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(patch, OperatorJson.Default.MetadataPatch)),
                new WriteOptions { FieldManager = WorkspaceReconciler.FieldManager },
                cancellationToken);
            StorageLog.Released(logger, key, volume.Metadata.Name!);
            return true;
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            return false;
        }
    }

    // Jobs and their network policy have no owner either: a foreground deletion would take the backup before it is made.
    private async Task TidyAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        var jobs = caches.StorageJobs?.Of(key) ?? [];
        foreach (var job in jobs.Where(j => StorageAttempt.From(j, null).State != AttemptState.Running
            && j.Metadata.DeletionTimestamp is null))
        {
            await StorageJobs.DeleteAsync(client, job, cancellationToken);
        }

        if (jobs.All(j => StorageAttempt.From(j, null).State != AttemptState.Running)
            && caches.NetworkPolicies.Store.Get(new ResourceKey(key.Namespace, StorageNetworkPolicy.NameOf(key.Name))) is
            { Metadata.DeletionTimestamp: null } network)
        {
            try
            {
                await client.DeleteAsync<NetworkPolicy>(
                    key.Namespace, network.Metadata.Name!, new DeleteOptions { Uid = network.Metadata.Uid }, cancellationToken);
            }
            catch (KubeException e) when (e.IsNotFound || e.IsConflict)
            {
                // Gone already.
            }
        }
    }
}
