using System.Collections.Immutable;
using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// What to do about backups of a workspace now: a pure function. One at a time; a cause (a time of the schedule, a request, the deletion)
/// is served by the first try that succeeds, and given up after three, but for the deletion, which waits: unsaved data is not deleted.
/// <code>
///   cause due ─► try 1 ─► failed ─► pause ─► try 2 ─► failed ─► pause ─► try 3 ─► failed ─► given up, told; the next cause comes
///                  └─► succeeded ─► recorded in the status ─► its Job is deleted ─► the oldest beyond "keep" go
/// </code>
/// </summary>
internal sealed record BackupPlan
{
    private const int MaxTries = 3;

    // After a node was lost or a store was busy; a person who waits for "now" is told meanwhile.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);

    public ImmutableArray<Step> Steps { get; init; } = [];

    public ImmutableArray<Note> Notes { get; init; } = [];

    public ImmutableArray<WorkspaceBackupStatus> Backups { get; init; } = [];

    public DateTimeOffset? NextBackupAt { get; init; }

    /// <summary>The request that is served.</summary>
    public DateTimeOffset? RequestedAt { get; init; }

    public DateTimeOffset? LookAgainAt { get; init; }

    /// <summary>A try is under way, so that nothing else may change the volume's content.</summary>
    public bool Busy { get; init; }

    /// <summary>Of a workspace that goes: its volume may go too.</summary>
    public bool Saved { get; init; }

    /// <summary>Something people should know, with its reason; null when all is well.</summary>
    public (string Reason, string Message)? Remark { get; init; }

    /// <summary>What is to be backed up now, and why; null: nothing.</summary>
    internal static string? Due(Observation seen, BackupWish wish)
    {
        var former = seen.Workspace.Status?.Storage;
        return seen.Workspace.Metadata.DeletionTimestamp is { } deleted ? (wish.BeforeDelete ? StorageCause.Delete(deleted) : null)
            : wish.RequestedAt is { } asked && asked != former?.BackupRequestedAt ? StorageCause.Request(asked)
            : Next(seen, wish) is { } next && next <= seen.Now ? StorageCause.Schedule(next)
            : null;
    }

    internal static BackupPlan Make(Observation seen, BlueprintSettings settings, bool restoring)
    {
        var wish = BackupWish.Of(seen);
        var former = seen.Workspace.Status?.Storage;
        var plan = new BackupPlan
        {
            Backups = [.. former?.Backups ?? []],
            NextBackupAt = Next(seen, wish),
            RequestedAt = former?.BackupRequestedAt,
            Remark = wish.Problem is { } problem ? (Reasons.InvalidSchedule, $"No backups are made by schedule: {problem}") : null,
        };
        if (settings.Backup.Mode == BackupMode.Off)
        {
            return plan with
            {
                NextBackupAt = null,
                Remark = wish.BeforeDelete && seen.Workspace.Metadata.DeletionTimestamp is not null
                    ? (Reasons.BackupFailed, Told(true, 0, "backups are switched off (Berth:Operator:Backup:Mode).")) : null,
                Saved = !wish.BeforeDelete,
            };
        }

        var attempts = Attempts(seen);
        var due = Due(seen, wish);
        var mine = attempts.Where(a => a.Cause == due).OrderBy(a => a.Try).ToList();
        var running = attempts.FirstOrDefault(a => a.State == AttemptState.Running);
        plan = plan with { Backups = BackupList.Of(plan.Backups, attempts, seen), Steps = BackupList.Tidy(attempts, due, wish, seen) };
        if (seen.Workspace.Metadata.DeletionTimestamp is not null && due is null)
        {
            return plan with { Saved = true, Steps = running?.Job is { } job ? [.. plan.Steps, new Step.DeleteJob(job)] : plan.Steps };
        }

        if (seen.Refusals.TryGetValue(ChildPart.Backup, out var refusal))
        {
            return plan with
            {
                Remark = (Reasons.BackupFailed, $"The API refused a backup or restore ({refusal}). An administrator should look at it; "
                + "it is tried again.")
            };
        }

        if (running is not null)
        {
            return Waiting(plan, running, seen);
        }

        if (due is null)
        {
            return plan with
            {
                LookAgainAt = plan.NextBackupAt,
                Remark = plan.Remark ?? (plan.Backups is [{ State: "Failed" } failed, ..]
                    ? (Reasons.BackupFailed, $"The last backup failed: {failed.Message}") : null),
            };
        }

        var deleting = StorageCause.IsDelete(due);
        if (mine.FirstOrDefault(a => a.State == AttemptState.Succeeded && (a.Verified || !deleting)) is { } done)
        {
            return Served(plan, seen, wish, due) with
            {
                Saved = deleting,
                Notes = [new Note(false, Reasons.BackedUp, $"Made backup {done.Backup}{Words(done)}")],
            };
        }

        var tries = mine.Count == 0 ? 0 : mine[^1].Try;
        if (tries >= MaxTries && !deleting)
        {
            return Served(plan, seen, wish, due) with
            {
                Notes = [new Note(true, Reasons.BackupFailed, $"Backup {mine[^1].Backup} failed {tries} times: {mine[^1].Message}")],
                Remark = (Reasons.BackupFailed, $"The last backup failed: {mine[^1].Message}"),
            };
        }

        if (tries > 0 && mine[^1].Finished + Pause(tries) is { } again && again > seen.Now)
        {
            return plan with { LookAgainAt = again, Remark = (Reasons.BackupFailed, Told(deleting, tries, mine[^1].Message)) };
        }

        return restoring ? plan : Begin(plan, seen, settings, wish, due, tries + 1, deleting);
    }

    private static BackupPlan Begin(
        BackupPlan plan, Observation seen, BlueprintSettings settings, BackupWish wish, string due, int @try, bool deleting)
    {
        if (seen.Volume is not { Status.Phase: "Bound", Metadata.DeletionTimestamp: null } volume
            || !Children.OwnsVolume(seen.Workspace, volume.Metadata))
        {
            // Nothing was ever written to a claim that has no volume.
            return plan with { Saved = deleting, LookAgainAt = deleting ? null : seen.Now + LongestPause };
        }

        var (kind, why) = KindFor(seen, settings.Backup);
        if (kind is null)
        {
            return deleting
                ? plan with { Remark = (Reasons.BackupFailed, why), LookAgainAt = seen.Now + LongestPause }
                : Served(plan, seen, wish, due) with
                {
                    Notes = [new Note(true, Reasons.BackupFailed, why)],
                    Remark = (Reasons.BackupFailed, why),
                };
        }

        if (kind == StorageAttempt.Archive && !seen.Storage.JobsKnown)
        {
            return plan with { LookAgainAt = seen.Now + Poll };
        }

        var name = Name(seen.Now, plan.Backups, kind, seen.Workspace.Metadata.Name!);
        ImmutableArray<Step> steps = kind == StorageAttempt.Archive
            ? [new Step.ApplyStorageNetwork(StorageNetworkPolicy.Make(seen.Workspace, settings)),
                new Step.CreateJob(StorageJobs.Backup(seen, settings, name, due, @try, wish.Keep))]
            : [new Step.CreateSnapshot(Snapshot(seen, name, due, @try))];
        return plan with
        {
            Steps = [.. plan.Steps, .. steps],
            Busy = true,
            LookAgainAt = seen.Now + Poll,
            Backups = BackupList.Shortened([
                new WorkspaceBackupStatus { Name = name, Kind = kind, State = "Pending", StartedAt = Times.Seconds(seen.Now) },
                .. plan.Backups.Where(b => b.Name != name && b.State != "Pending"),
            ]),
        };
    }

    private static BackupPlan Waiting(BackupPlan plan, StorageAttempt running, Observation seen)
    {
        // Made while the workspace was stopped, and its pod has come up on another node: the person goes first, and it begins again there.
        var node = running.Job?.Metadata.Annotations?.GetValueOrDefault(Annotations.StorageNode);
        var away = running.Job is not null && node is null && !StorageCause.IsDelete(running.Cause)
            && seen.Pod is { Metadata.DeletionTimestamp: null, Spec.NodeName.Length: > 0, Status.Phase: "Pending" };
        return plan with
        {
            Busy = true,
            Steps = away ? [.. plan.Steps, new Step.DeleteJob(running.Job!)] : plan.Steps,
            LookAgainAt = running.Kind == StorageAttempt.Snapshot ? seen.Now + Poll : null,
        };
    }

    private static BackupPlan Served(BackupPlan plan, Observation seen, BackupWish wish, string due)
    {
        var requested = wish.RequestedAt is { } asked && due == StorageCause.Request(asked);
        var next = requested ? plan.NextBackupAt : wish.Schedule?.Next(seen.Now);
        return plan with { RequestedAt = requested ? wish.RequestedAt : plan.RequestedAt, NextBackupAt = next, LookAgainAt = next };
    }

    private static List<StorageAttempt> Attempts(Observation seen) =>
    [
        .. seen.Storage.Jobs.Where(j => j.Metadata.DeletionTimestamp is null)
            .Select(j => StorageAttempt.From(j, seen.Storage.Results.GetValueOrDefault(j.Metadata.Name ?? ""))).Where(a => !a.IsRestore),
        .. (seen.Storage.Snapshots ?? []).Where(s => s.Metadata.DeletionTimestamp is null).Select(s => StorageAttempt.From(s, seen.Now)),
    ];

    private static (string? Kind, string Why) KindFor(Observation seen, BackupSettings settings)
    {
        if (settings.Mode is BackupMode.Auto or BackupMode.Snapshot && seen.Storage.SnapshotClass is not null)
        {
            return (StorageAttempt.Snapshot, "");
        }

        if (settings.Mode == BackupMode.Snapshot)
        {
            return (null, "No backup can be made: the volume's driver makes no snapshots here. Install VolumeSnapshots and a "
                + "VolumeSnapshotClass of the driver, or let the operator make archives (Berth:Operator:Backup).");
        }

        return settings.HasArchives
            ? (StorageAttempt.Archive, "")
            : (null, "No backup can be made: there is neither a snapshot class for the volume nor a place for archives. An administrator "
                + "sets Berth:Operator:Backup:Claim or Backup:S3.");
    }

    private static VolumeSnapshot Snapshot(Observation seen, string name, string cause, int @try) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name,
            Namespace = seen.Workspace.Metadata.Namespace,
            Labels = StorageJobs.LabelsOf(seen.Workspace),
            Annotations = StorageJobs.AnnotationsOf(name, cause, @try),
        },
        Spec = new VolumeSnapshotSpec
        {
            VolumeSnapshotClassName = seen.Storage.SnapshotClass,
            Source = new VolumeSnapshotSource { PersistentVolumeClaimName = seen.Volume!.Metadata.Name },
        },
    };

    // The time of its making, so that names sort as times do. A snapshot's is unique in the namespace: a dot is in no workspace's name.
    private static string Name(DateTimeOffset now, ImmutableArray<WorkspaceBackupStatus> known, string kind, string workspace)
    {
        var time = now.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var name = kind == StorageAttempt.Snapshot ? $"{workspace}.{time}" : time;
        return known.Any(b => b.Name == name) ? Name(now.AddSeconds(1), known, kind, workspace) : name;
    }

    private static DateTimeOffset? Next(Observation seen, BackupWish wish) =>
        wish.Schedule is not { } schedule ? null
        : seen.Workspace.Status?.Storage?.NextBackupAt is { } planned && schedule.Names(planned) ? planned
        : schedule.Next(seen.Now);

    private static TimeSpan Pause(int tries) =>
        TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(2 * (tries - 1), 20)));

    private static string Words(StorageAttempt done) => done switch
    {
        { Result: { } result } => string.Create(CultureInfo.InvariantCulture,
            $": {result.Entries} entries, {result.Bytes} bytes, read back and compared.{(done.Message is null ? "" : " " + done.Message)}"),
        { Kind: StorageAttempt.Snapshot } => ", a snapshot.",
        _ => ".",
    };

    private static string Told(bool deleting, int tries, string? message) => deleting
        ? $"The workspace is being deleted and cannot be backed up before ({tries} tries): {message} Its volume is kept until a backup "
            + $"succeeds. To delete it unsaved, set the annotation {Annotations.DeleteWithoutBackup}=true, or "
            + "spec.storage.backup.beforeDelete to false."
        : $"A backup failed and is tried again: {message}";
}
