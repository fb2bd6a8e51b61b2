using System.Text.Json;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What has to do with volumes, backups and restores.</summary>
internal sealed partial class WorkspaceReconciler
{
    /// <summary>A larger volume is asked for only where its class allows it: an API that says no says so each time.</summary>
    private async Task<(Observation Seen, Decision Decision)> LookAtGrowthAsync(
        Observation seen, Decision decision, CancellationToken cancellationToken)
    {
        if (seen.Volume is not { } volume
            || decision.Steps.OfType<Step.ApplyVolume>().FirstOrDefault(s => Grows(volume, s.Object)) is not { } step
            || await storage.GrowthAsync(volume, SizeOf(step.Object)!, cancellationToken) is not { Verdict: GrowthVerdict.Refused } growth)
        {
            return (seen, decision);
        }

        seen = seen with { Storage = seen.Storage with { Growth = growth } };
        return (seen, Decider.Decide(seen, settings));
    }

    private Observation RefuseGrowth(ResourceKey key, Observation seen, PersistentVolumeClaim wished, KubeException refusal)
    {
        var message = $"The API refused it ({refusal.Message}).";
        storage.Refused(key, seen.Volume!, SizeOf(wished)!, message);
        return seen with { Storage = seen.Storage with { Growth = new Growth(GrowthVerdict.Refused, message) } };
    }

    private static bool Grows(PersistentVolumeClaim? volume, PersistentVolumeClaim wished) =>
        Quantity.TryParse(SizeOf(volume), out var has) && Quantity.TryParse(SizeOf(wished), out var wants) && wants > has;

    private static string? SizeOf(PersistentVolumeClaim? volume) => volume?.Spec?.Resources?.Requests?.GetValueOrDefault("storage");

    private async Task ExecuteStorageAsync(ResourceKey key, Step step, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case Step.CreateVolume s:
                await CreateAsync(key, s.Object, cancellationToken);
                break;
            case Step.CreateJob s:
                await CreateAsync(key, s.Object, cancellationToken);
                break;
            case Step.CreateSnapshot s:
                await CreateAsync(key, s.Object, cancellationToken);
                break;
            case Step.ApplyStorageNetwork s:
                gate.WroteAt(key, await _children.ApplyAsync(s.Object, cancellationToken));
                break;
            case Step.DeleteJob s:
                await StorageJobs.DeleteAsync(client, s.Object, cancellationToken);
                break;
            case Step.DeleteSnapshot s:
                await DeleteAsync(s.Object, cancellationToken);
                break;
            case Step.DeleteReleased s:
                await ReleasedVolumes.DeleteAsync(client, key, s.Object, logger, cancellationToken);
                break;
            case Step.MarkVolume s:
                await MarkAsync(key, s, cancellationToken);
                break;
        }
    }

    // Names say what they are for: one that is there was made by a pass that did not live to tell.
    private async Task CreateAsync<T>(ResourceKey key, T obj, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        try
        {
            gate.WroteAt(key, await client.CreateAsync(obj, new WriteOptions { FieldManager = FieldManager }, cancellationToken));
        }
        catch (KubeException e) when (e.IsAlreadyExists)
        {
            // The watch brings it.
        }
    }

    private async Task MarkAsync(ResourceKey key, Step.MarkVolume step, CancellationToken cancellationToken)
    {
        var patch = new MetadataPatch
        {
            // With the uid, so that it never hits a volume that took the name since. A null takes an annotation away.
            Metadata = new ObjectMeta { Uid = step.Object.Metadata.Uid, Annotations = step.Changes! },
        };
        try
        {
            gate.WroteAt(key, await client.PatchAsync<PersistentVolumeClaim>(
                key.Namespace,
                step.Object.Metadata.Name!,
                KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(patch, OperatorJson.Default.MetadataPatch)),
                new WriteOptions { FieldManager = FieldManager },
                cancellationToken));
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone already, or another object has the name now.
        }
    }
}
