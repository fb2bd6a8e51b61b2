using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>All about the storage of a workspace but its claim itself, put together for the decider.</summary>
internal sealed record StoragePlan
{
    public required RestorePlan Restore { get; init; }

    public required BackupPlan Backup { get; init; }

    public ImmutableArray<Step> Steps { get; init; } = [];

    public DateTimeOffset? LookAgainAt { get; init; }

    internal ImmutableArray<Note> Notes => [.. Restore.Notes, .. Backup.Notes];

    internal static StoragePlan Make(Observation seen, BlueprintSettings settings)
    {
        var wanted = RestorePlan.Wish(seen.Workspace) is not null;
        var backup = BackupPlan.Make(seen, settings, wanted);
        var restore = RestorePlan.Make(seen, settings, backup.Busy);
        return new StoragePlan
        {
            Restore = restore,
            Backup = backup,
            Steps = [.. VolumeMarks.Make(seen), .. backup.Steps, .. restore.Steps],
            LookAgainAt = ((DateTimeOffset?[])[backup.LookAgainAt, restore.LookAgainAt, VolumeMarks.NextExpiry(seen)]).Min(),
        };
    }

    /// <summary>What to do about the pod: while a restore is under way there is none.</summary>
    internal PodPlan Pod(Observation seen, Blueprint blueprint, bool blocked)
    {
        if (!Restore.BlocksPod)
        {
            return PodPlan.Make(seen, blueprint, blocked);
        }

        return seen.Pod is { Metadata.DeletionTimestamp: null } pod && Children.Owns(seen.Workspace, pod.Metadata)
            ? new PodPlan { State = PodState.Ending, Step = new Step.DeletePod(pod), Restarting = true }
            : PodPlan.Make(seen, blueprint, blocked: true);
    }

    /// <summary><c>status.storage</c>.</summary>
    internal WorkspaceStorageStatus? Status(Observation seen)
    {
        var status = StorageStatus.Write(seen);
        if (status is null && Backup is { Backups.IsEmpty: true, NextBackupAt: null, RequestedAt: null } && Restore.Restored is null)
        {
            return null;
        }

        return (status ?? new WorkspaceStorageStatus()) with
        {
            ClaimName = Restore.ClaimName ?? status?.ClaimName,
            Backups = Backup.Backups.IsEmpty ? null : Backup.Backups,
            NextBackupAt = Backup.NextBackupAt,
            BackupRequestedAt = Backup.RequestedAt,
            Restored = Restore.Restored,
        };
    }

    /// <summary>What people should know about a volume that is there and can be used.</summary>
    internal (string Reason, string Message)? Remark =>
        Restore.Failure is { } failure ? (Reasons.RestoreFailed, failure) : Backup.Remark;
}
