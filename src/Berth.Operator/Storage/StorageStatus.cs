using Berth.Resources;

namespace Berth.Operator;

/// <summary><c>status.storage</c>: the volume that is looked up by this name from now on, and its size.</summary>
internal static class StorageStatus
{
    internal static WorkspaceStorageStatus? Write(Observation seen)
    {
        var former = seen.Workspace.Status?.Storage;
        if (seen.Volume is not { } volume || !Children.OwnsVolume(seen.Workspace, volume.Metadata))
        {
            // The name stays: the claim may be there again at the next look, and must not be mistaken for another one.
            return former;
        }

        return (former ?? new WorkspaceStorageStatus()) with
        {
            ClaimName = volume.Metadata.Name,
            Capacity = volume.Status?.Capacity?.GetValueOrDefault("storage") ?? former?.Capacity,
        };
    }
}
