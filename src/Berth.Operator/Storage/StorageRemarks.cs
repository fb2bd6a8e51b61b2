using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What is said of a volume that is there and can be used: the first of what people should know.</summary>
internal static class StorageRemarks
{
    internal static (string Reason, string Message) Of(PersistentVolumeClaim volume, Blueprint blueprint, StoragePlan storage)
    {
        if (blueprint.GrowthRefusal is { } growth)
        {
            return (Reasons.GrowthRefused, growth);
        }

        if (blueprint.ShrinkRefusal is { } shrink)
        {
            return (Reasons.ShrinkRefused, shrink);
        }

        if (storage.Remark is { } remark)
        {
            return remark;
        }

        var wished = volume.Spec?.Resources?.Requests?.GetValueOrDefault("storage");
        var has = volume.Status?.Capacity?.GetValueOrDefault("storage");
        if (volume.Status?.Conditions?.Any(c => c.Type == "FileSystemResizePending" && c.Status == "True") == true)
        {
            return (Reasons.ResizePending, $"The volume was made larger ({wished}); its file system follows at the next start.");
        }

        return Quantity.TryParse(wished, out var want) && Quantity.TryParse(has, out var got) && got < want
            ? (Reasons.Growing, $"The volume is being made larger, from {has} to {wished}.")
            : (Reasons.Bound, $"Volume {volume.Metadata.Name} is there.");
    }
}
