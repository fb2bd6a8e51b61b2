using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// The end of a workspace: a legal hold keeps everything, with Delete the volume goes once the pod has ended and a
/// wanted backup is made; with Retain nothing is waited for. Pure.
/// </summary>
internal static class EndingPlan
{
    internal static Decision Make(Observation seen, BlueprintSettings settings)
    {
        var workspace = seen.Workspace;
        if (AdministrationPlan.Ending(seen) is { } held)
        {
            // With the mark, so that a volume that is kept is not held for ever by a hold that was lifted.
            return held with { Steps = [.. VolumeMarks.Make(seen), .. held.Steps] };
        }

        if (workspace.Metadata.Finalizers?.Contains(WorkspaceFinalizers.Storage) != true)
        {
            return new Decision();
        }

        // In a namespace that goes, everything goes: holding the workspace would only hold the namespace.
        if (seen.NamespaceTerminating || workspace.Spec.Storage?.DeletionPolicy != DeletionPolicies.Delete)
        {
            return new Decision { Steps = [new Step.RemoveFinalizer()] };
        }

        var pod = seen.Pod is { } running && Children.Owns(workspace, running.Metadata) ? running : null;
        var volume = seen.Volume is { } found && Children.OwnsVolume(workspace, found.Metadata) ? found : null;
        if (pod is not null)
        {
            return Waiting(seen, "The workspace is being deleted and waits for its pod to end.",
                pod.Metadata.DeletionTimestamp is null ? [new Step.DeletePod(pod)] : []);
        }

        // Lifted a moment ago: the mark goes before the volume may.
        if (volume is not null && ReleasedVolumes.IsHeld(volume.Metadata))
        {
            return Waiting(seen, "The volume bears a legal hold.", VolumeMarks.Make(seen));
        }

        var forced = workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.DeleteWithoutBackup) == "true";
        if (volume is { Metadata.DeletionTimestamp: null } && !forced)
        {
            var backup = BackupPlan.Make(seen, settings, restoring: false);
            if (!backup.Saved)
            {
                return Saving(seen, backup);
            }
        }

        var others = seen.Storage.OtherVolumes.Where(v => v.Metadata.DeletionTimestamp is null && !ReleasedVolumes.IsHeld(v.Metadata)
            && v.Metadata.Annotations?.ContainsKey(Annotations.ReplacedBy) == true).Select(v => (Step)new Step.DeleteReleased(v));
        return volume is { Metadata.DeletionTimestamp: null }
            ? new Decision
            {
                Steps = [.. others, new Step.DeleteVolume(volume), new Step.RemoveFinalizer()],
                Notes = [new Note(false, Reasons.VolumeDeleted,
                    $"Deleted volume {volume.Metadata.Name}, as spec.storage.deletionPolicy is Delete.")],
            }
            : new Decision { Steps = [.. others, new Step.RemoveFinalizer()] };
    }

    private static Decision Saving(Observation seen, BackupPlan backup)
    {
        var storage = (StorageStatus.Write(seen) ?? new WorkspaceStorageStatus()) with
        {
            Backups = backup.Backups.IsEmpty ? null : backup.Backups,
        };
        return new Decision
        {
            Steps = backup.Steps,
            Status = Status(seen, backup.Remark?.Message ?? "The workspace is being deleted; a backup of its volume is made before.")
                with
            { Storage = storage },
            Notes = backup.Notes,
            Again = Again(seen, backup.LookAgainAt),
        };
    }

    private static Decision Waiting(Observation seen, string message, ImmutableArray<Step> steps) =>
        new() { Steps = steps, Status = Status(seen, message) };

    private static UserWorkspaceStatus Status(Observation seen, string message) =>
        (seen.Workspace.Status ?? new UserWorkspaceStatus()) with
        {
            Phase = WorkspacePhases.Terminating,
            Message = message,
            ObservedGeneration = seen.Workspace.Metadata.Generation,
        };

    private static TimeSpan? Again(Observation seen, DateTimeOffset? at) =>
        at is { } time ? TimeSpan.FromTicks(Math.Max((time - seen.Now).Ticks, TimeSpan.TicksPerSecond)) : null;
}
