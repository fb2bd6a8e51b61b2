using System.Collections.Immutable;
using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// What to do about a restore now: a pure function.
/// <code>
///   wish ─► pod ends, backup under way ends ─► Archive: Job unpacks beside, compares, exchanges ─► recorded ─► pod may start
///                                           └► Snapshot: new claim from it ─► the status names it ─► the old one is kept as released
/// </code>
/// A Job that fails before it touched the content is given up after three tries, and the workspace starts with what it had. One that may
/// have touched it is tried until it succeeds: half of the old and half of the new content is nobody's wish.
/// </summary>
internal sealed record RestorePlan
{
    private const int MaxTries = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>No pod may be there.</summary>
    public bool BlocksPod { get; init; }

    public ImmutableArray<Step> Steps { get; init; } = [];

    public ImmutableArray<Note> Notes { get; init; } = [];

    /// <summary>The restore that is served.</summary>
    public WorkspaceRestore? Restored { get; init; }

    /// <summary>The claim that is the workspace's from now on; null: the one it was.</summary>
    public string? ClaimName { get; init; }

    public DateTimeOffset? LookAgainAt { get; init; }

    /// <summary>What is being done, or what came of it, in words.</summary>
    public string? Message { get; init; }

    /// <summary>The last wish could not be met, in words.</summary>
    public string? Failure { get; init; }

    /// <summary>The wish that is not served; null when there is none.</summary>
    internal static WorkspaceRestore? Wish(UserWorkspace workspace) =>
        workspace.Spec.Storage?.Restore is { Backup.Length: > 0 } wish && workspace.Metadata.DeletionTimestamp is null
        && (wish.Backup != workspace.Status?.Storage?.Restored?.Backup
            || wish.RequestedAt != workspace.Status?.Storage?.Restored?.RequestedAt)
            ? wish : null;

    internal static RestorePlan Make(Observation seen, BlueprintSettings settings, bool backupRunning)
    {
        var former = seen.Workspace.Status?.Storage?.Restored;
        var attempts = seen.Storage.Jobs.Where(j => j.Metadata.DeletionTimestamp is null)
            .Select(j => StorageAttempt.From(j, seen.Storage.Results.GetValueOrDefault(j.Metadata.Name ?? "")))
            .Where(a => a.IsRestore).OrderBy(a => a.Started).ThenBy(a => a.Try).ToList();

        // One that may have changed the volume is seen through first, whatever is wished for meanwhile.
        var open = attempts.LastOrDefault() is { State: not AttemptState.Succeeded } last && last.Result is not
        {
            Ok: false,
            Touched: false
        }
            ? last : null;
        var wish = Wish(seen.Workspace);
        var cause = open?.Cause ?? (wish is null ? null : StorageCause.Restore(wish));
        if (cause is null || settings.Backup.Mode == BackupMode.Off)
        {
            var failed = attempts.LastOrDefault() is { State: AttemptState.Failed } gone ? gone : null;
            return new RestorePlan
            {
                Restored = former,
                Failure = failed is null ? null
                    : $"Backup {failed.Backup} could not be restored, and nothing was changed: {failed.Message}",
                Steps = [.. attempts.Where(a => a.State != AttemptState.Running && a != failed).Select(a => new Step.DeleteJob(a.Job!))],
            };
        }

        var plan = new RestorePlan
        {
            BlocksPod = true,
            Restored = former,
            Message = $"Backup {open?.Backup ?? wish!.Backup} is being restored; the workspace starts when that is done.",
        };
        if (seen.Pod is not null || backupRunning || !seen.SurplusPods.IsEmpty)
        {
            return plan;
        }

        if (seen.Refusals.TryGetValue(ChildPart.Backup, out var refusal))
        {
            return plan with { Message = $"{plan.Message} The API refused it ({refusal}); it is tried again." };
        }

        return open is null && Snapshot(seen, wish!) is { } snapshot
            ? FromSnapshot(plan, seen, settings, wish!, cause, snapshot)
            : FromArchive(plan, seen, settings, wish, cause, attempts);
    }

    private static RestorePlan FromArchive(
        RestorePlan plan, Observation seen, BlueprintSettings settings, WorkspaceRestore? wish, string cause, List<StorageAttempt> attempts)
    {
        var mine = attempts.Where(a => a.Cause == cause).ToList();
        var others = attempts.Where(a => a.Cause != cause && a.State != AttemptState.Running).Select(a => new Step.DeleteJob(a.Job!));
        plan = plan with { Steps = [.. others] };
        if (mine.LastOrDefault(a => a.State == AttemptState.Succeeded) is { } done)
        {
            return plan with
            {
                BlocksPod = false,
                Restored = wish is not null && cause == StorageCause.Restore(wish) ? wish : plan.Restored,
                Notes = [new Note(false, Reasons.Restored, $"Restored backup {done.Backup}. {done.Message}".TrimEnd())],
                Message = null,
            };
        }

        if (mine.Any(a => a.State == AttemptState.Running))
        {
            return plan;
        }

        var tries = mine.Count == 0 ? 0 : mine[^1].Try;
        var untouched = mine.Count == 0 || mine[^1].Result is { Ok: false, Touched: false };
        if (wish is not null && untouched && (tries >= MaxTries || !settings.Backup.HasArchives || !ArchiveNameFits(wish.Backup)))
        {
            var why = tries > 0 ? mine[^1].Message
                : settings.Backup.HasArchives ? $"there is no backup '{wish.Backup}'; status.storage.backups lists those there are."
                : "there is no such snapshot of this workspace, and no place for archives is set up (Berth:Operator:Backup).";
            return plan with
            {
                BlocksPod = false,
                Restored = wish,
                Message = null,
                Failure = $"Backup {wish.Backup} could not be restored, and nothing was changed: {why}",
                Notes = [new Note(true, Reasons.RestoreFailed,
                    $"Backup {wish.Backup} could not be restored, and nothing was changed: {why}")],
            };
        }

        if (tries > 0 && mine[^1].Finished + Pause(tries) is { } again && again > seen.Now)
        {
            return plan with
            {
                LookAgainAt = again,
                Message = untouched
                    ? $"{plan.Message} It failed and is tried again: {mine[^1].Message}"
                    : $"{plan.Message} It was ended in the middle and is tried until it succeeds: {mine[^1].Message}",
            };
        }

        if (seen.Volume is not { Metadata.DeletionTimestamp: null } volume || !Children.OwnsVolume(seen.Workspace, volume.Metadata)
            || !seen.Storage.JobsKnown)
        {
            // It is made without a pod, and the next look finds it.
            return plan with { LookAgainAt = seen.Now + FirstPause };
        }

        var backup = mine.Count > 0 ? mine[^1].Backup : wish!.Backup;
        return plan with
        {
            Steps =
            [
                .. plan.Steps,
                .. mine.Where(a => a.Try < tries).Select(a => new Step.DeleteJob(a.Job!)),
                new Step.ApplyStorageNetwork(StorageNetworkPolicy.Make(seen.Workspace, settings)),
                new Step.CreateJob(StorageJobs.Restore(seen, settings, backup, cause, tries + 1)),
            ],
        };
    }

    private static RestorePlan FromSnapshot(
        RestorePlan plan, Observation seen, BlueprintSettings settings, WorkspaceRestore wish, string cause, VolumeSnapshot snapshot)
    {
        var made = seen.Storage.OtherVolumes.FirstOrDefault(v => v.Metadata.DeletionTimestamp is null
            && v.Metadata.Annotations?.GetValueOrDefault(Annotations.StorageCause) == cause);
        if (made is not null)
        {
            // Not waited for: many claims are bound only when a pod wants them. The pod comes with the next look, which finds the new
            // claim.
            return plan with
            {
                Restored = wish,
                ClaimName = made.Metadata.Name,
                LookAgainAt = seen.Now,
                Notes = [new Note(false, Reasons.Restored,
                    $"Restored backup {wish.Backup} as volume {made.Metadata.Name}. The former volume, "
                    + $"{seen.Volume?.Metadata.Name}, is kept as a released one.")],
            };
        }

        if (seen.Volume is not { } volume || !Children.OwnsVolume(seen.Workspace, volume.Metadata))
        {
            return plan with { LookAgainAt = seen.Now + FirstPause };
        }

        var size = volume.Spec?.Resources?.Requests?.GetValueOrDefault("storage") ?? "1Gi";
        if (Quantity.TryParse(snapshot.Status?.RestoreSize, out var least) && least > Quantity.Parse(size))
        {
            size = snapshot.Status!.RestoreSize!;
        }

        var name = $"{seen.Workspace.Metadata.Name}.{seen.Now.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
        return plan with
        {
            LookAgainAt = seen.Now + TimeSpan.FromSeconds(2),
            Steps =
            [
                new Step.CreateVolume(new PersistentVolumeClaim
                {
                    Metadata = new ObjectMeta
                    {
                        Name = name,
                        Namespace = seen.Workspace.Metadata.Namespace,
                        Labels = Children.LabelsOf(seen.Workspace),
                        Annotations = StorageJobs.AnnotationsOf(wish.Backup, cause, 1),
                    },
                    Spec = new PersistentVolumeClaimSpec
                    {
                        AccessModes = volume.Spec?.AccessModes ?? ["ReadWriteOnce"],
                        StorageClassName = volume.Spec?.StorageClassName,
                        VolumeMode = volume.Spec?.VolumeMode,
                        Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = size } },
                        DataSource = new TypedLocalObjectReference
                        {
                            ApiGroup = VolumeSnapshot.Descriptor.Group,
                            Kind = VolumeSnapshot.Descriptor.Kind,
                            Name = wish.Backup,
                        },
                    },
                }),
            ],
        };
    }

    // By labels as well as by name: another person's snapshot must not come to light here.
    private static VolumeSnapshot? Snapshot(Observation seen, WorkspaceRestore wish) => seen.Storage.Snapshots?.FirstOrDefault(s =>
        s.Metadata.Name == wish.Backup && s.Metadata.DeletionTimestamp is null && s.Status?.ReadyToUse == true);

    private static bool ArchiveNameFits(string name) => Archives.ArchiveNames.IsName(name);

    private static TimeSpan Pause(int tries) =>
        TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(tries - 1, 20)));
}
