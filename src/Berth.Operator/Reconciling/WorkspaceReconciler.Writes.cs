using System.Text.Json;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>The writes that are no plain creation or application.</summary>
internal sealed partial class WorkspaceReconciler
{
    /// <summary>Changes the wish, with the version that was looked at: whoever wrote anything since (a start, use, a hold) wins.</summary>
    private async Task<UserWorkspace> StopAsync(ResourceKey key, UserWorkspace workspace, Step.StopWorkspace stop,
        CancellationToken cancellationToken)
    {
        var patch = new UserWorkspaceStop
        {
            Metadata = new ObjectMeta { ResourceVersion = workspace.Metadata.ResourceVersion },
            Spec = new UserWorkspaceStopSpec
            {
                LastRequest = new WorkspaceRequest { By = stop.By, Reason = stop.Reason, At = stop.At },
            },
        };
        try
        {
            var stopped = await client.PatchAsync<UserWorkspace>(
                key.Namespace,
                key.Name,
                KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(patch, OperatorJson.Default.UserWorkspaceStop)),
                new WriteOptions { FieldManager = FieldManager },
                cancellationToken);
            gate.WroteAt(key, stopped);
            OperatorLog.StoppedByRule(logger, key, stop.Reason);
            return stopped;
        }
        catch (KubeException e) when (e.IsConflict || e.IsNotFound)
        {
            OperatorLog.StopOvertaken(logger, key);
            return workspace;
        }
    }

    /// <summary>
    /// Sets or takes away a legal hold. On the workspace the finalizer is what was done, so its change is what is put on record.
    /// </summary>
    private async Task<UserWorkspace> HoldAsync(ResourceKey key, UserWorkspace workspace, Step step, CancellationToken cancellationToken)
    {
        const string finalizer = WorkspaceFinalizers.LegalHold;
        switch (step)
        {
            case Step.HoldWorkspace:
                var held = await Finalizers.AddAsync(client, workspace, finalizer, cancellationToken);
                gate.WroteAt(key, held);
                audit.Write(AuditRecord.Of(held, AuditActions.LegalHold, "Nothing of it is deleted any more."));
                return held;
            case Step.ReleaseWorkspace:
                await Finalizers.RemoveAsync(client, workspace, finalizer, cancellationToken);
                audit.Write(AuditRecord.Of(workspace, AuditActions.LegalHoldEnd, "It may be deleted again."));
                return await client.TryGetAsync<UserWorkspace>(key.Namespace, key.Name, cancellationToken) ?? workspace;
            case Step.HoldVolume s:
                gate.WroteAt(key, await Finalizers.AddAsync(client, s.Object, finalizer, cancellationToken));
                return workspace;
            case Step.ReleaseVolume s:
                await Finalizers.RemoveAsync(client, s.Object, finalizer, cancellationToken);
                return workspace;
            default:
                return workspace;
        }
    }

    // By uid, so that a late decision never hits an object that took the name since.
    private async Task DeleteAsync<T>(T obj, CancellationToken cancellationToken, long? graceSeconds = null, bool asSeen = false)
        where T : class, IKubeResource<T>
    {
        try
        {
            var options = new DeleteOptions
            {
                Uid = obj.Metadata.Uid,
                ResourceVersion = asSeen ? obj.Metadata.ResourceVersion : null,
                GracePeriodSeconds = graceSeconds,
            };
            await client.DeleteAsync<T>(obj.Metadata.Namespace, obj.Metadata.Name!, options, cancellationToken);
        }
        catch (KubeException e) when (e.IsNotFound)
        {
            // Gone already.
        }
        catch (KubeException e) when (e.IsConflict)
        {
            // Another object has the name now, unless it changed since it was looked at, or a busy server says conflict too: then it is
            // still there, and what comes after (a finalizer that goes) must wait.
            var there = await client.TryGetAsync<T>(obj.Metadata.Namespace, obj.Metadata.Name!, cancellationToken);
            if (there?.Metadata.Uid == obj.Metadata.Uid)
            {
                throw;
            }
        }
    }

    /// <summary>
    /// A pod that lost its labels is in no cache. While one is wanted it is found when another is about to be made; where none is wanted,
    /// the status says that there was one, and it would run on unseen.
    /// </summary>
    private async Task<Observation> FindLostPodAsync(Observation seen, CancellationToken cancellationToken)
    {
        if (seen.Pod is not null || seen.Workspace.Status?.PodName is not { Length: > 0 } name)
        {
            return seen;
        }

        var found = await client.TryGetAsync<Pod>(seen.Workspace.Metadata.Namespace, name, cancellationToken);
        return found is not null && Children.Owns(seen.Workspace, found.Metadata)
            ? seen with { Pod = found, PodTemplate = caches.PodTemplate(found, seen.Template) }
            : seen;
    }

    private async Task<UserWorkspace> RepairAsync(
        ResourceKey key, UserWorkspace workspace, Step.RepairWorkspace repair, CancellationToken cancellationToken)
    {
        var repaired = await client.PatchAsync<UserWorkspace>(
            key.Namespace,
            key.Name,
            Labelled(new ObjectMeta
            {
                Uid = workspace.Metadata.Uid,

                // What comes back is what the status is written with: it must not bring anything that was not looked at.
                ResourceVersion = workspace.Metadata.ResourceVersion,
                Labels = new Dictionary<string, string> { [Labels.Owner] = repair.Owner },
            }),
            new WriteOptions { FieldManager = FieldManager },
            cancellationToken);
        gate.WroteAt(key, repaired);
        return repaired;
    }

    private async Task RepairAsync(ResourceKey key, Step.RepairPod repair, CancellationToken cancellationToken)
    {
        try
        {
            // With the uid, so that it never hits a pod that took the name since.
            gate.WroteAt(key, await client.PatchAsync<Pod>(
                repair.Object.Metadata.Namespace,
                repair.Object.Metadata.Name!,
                Labelled(new ObjectMeta { Uid = repair.Object.Metadata.Uid, Labels = repair.Labels, OwnerReferences = repair.Owners }),
                new WriteOptions { FieldManager = FieldManager },
                cancellationToken));
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone already, or another object has the name now.
        }
    }

    private static KubePatch Labelled(ObjectMeta metadata) =>
        KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(new MetadataPatch { Metadata = metadata }, OperatorJson.Default.MetadataPatch));
}
