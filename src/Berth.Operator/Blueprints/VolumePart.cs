using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The volume. It never has an owner reference: whether it goes with the workspace is decided when the workspace goes, by the policy of
/// that moment, and held open by a finalizer where it is to be deleted. An owner reference would decide earlier, and could lose data.
/// </summary>
internal static class VolumePart
{
    internal static (PersistentVolumeClaim Volume, string? Shrink, string? Growth) Make(UserWorkspace workspace, ResolvedTemplate template,
        BlueprintFacts facts)
    {
        var existing = facts.Volume;
        var wished = template.Storage;
        var present = existing?.Spec?.Resources?.Requests?.GetValueOrDefault("storage");
        string? refusal = null;
        if (Quantity.TryParse(present, out var size) && size > Quantity.Parse(wished))
        {
            refusal = workspace.Spec.Resources?.Storage is null
                ? null
                : $"The volume has {present} and cannot shrink to {wished}. Set spec.resources.storage to {present} or more.";
            wished = present!;
        }

        string? small = null;
        if (existing is not null && Quantity.TryParse(present, out size) && size < Quantity.Parse(wished))
        {
            // Only a bound claim can grow; one that waits for its first pod grows after that.
            if (facts.Growth.Verdict == GrowthVerdict.Refused)
            {
                small = $"The volume has {present} and cannot grow to {wished}: {facts.Growth.Reason} It can be used as it is. Set "
                    + $"spec.resources.storage to {present}, or move the files to a workspace with a larger volume.";
                wished = present!;
            }
            else if (existing.Status?.Phase != "Bound")
            {
                wished = present!;
            }
        }

        // All but the size of a claim is fixed once it is made: later changes of the template must not turn into refused writes.
        var volume = new PersistentVolumeClaim
        {
            Metadata = new ObjectMeta
            {
                Name = existing?.Metadata.Name ?? facts.ClaimName ?? workspace.Metadata.Name,
                Namespace = workspace.Metadata.Namespace,
                Labels = Children.LabelsOf(workspace),
                Annotations = new Dictionary<string, string> { [Annotations.Identity] = ChildIdentity.For(workspace).ToAnnotation() },
            },
            Spec = new PersistentVolumeClaimSpec
            {
                AccessModes = existing?.Spec?.AccessModes ?? ["ReadWriteOnce"],
                StorageClassName = existing is null ? template.StorageClassName : existing.Spec?.StorageClassName,
                Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = wished } },
            },
        };
        return (volume, refusal, small);
    }
}
