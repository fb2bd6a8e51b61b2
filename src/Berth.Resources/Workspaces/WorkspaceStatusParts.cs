using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>The volume of a workspace and its backups.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record WorkspaceStorageStatus
{
    /// <summary>Name of the PersistentVolumeClaim; it is looked up by this name, not by the workspace's.</summary>
    [Description("Name of the PersistentVolumeClaim.")]
    public string? ClaimName { get; init; }

    /// <summary>Its size.</summary>
    [Description("Its size.")]
    public string? Capacity { get; init; }

    /// <summary>The newest backups, newest first.</summary>
    [Description("The backups there are, newest first; at most ten are listed.")]
    [ListMap("name")]
    [MaxLength(10)]
    public IReadOnlyList<WorkspaceBackupStatus>? Backups { get; init; }

    /// <summary>When the next backup is made; null: none is planned.</summary>
    [Description("When the next backup is made.")]
    public DateTimeOffset? NextBackupAt { get; init; }

    /// <summary>The <c>spec.storage.backup.requestedAt</c> served last.</summary>
    [Description("The spec.storage.backup.requestedAt that was served last.")]
    public DateTimeOffset? BackupRequestedAt { get; init; }

    /// <summary>The restore that was served last.</summary>
    [Description("The restore that was served last.")]
    public WorkspaceRestore? Restored { get; init; }
}

/// <summary>A backup of a volume.</summary>
public sealed record WorkspaceBackupStatus
{
    /// <summary>Name.</summary>
    [Description("Name.")]
    [Required]
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>Snapshot or Archive.</summary>
    [Description("Snapshot (VolumeSnapshot) or Archive (a tar file on the backup claim or in the object store).")]
    public string? Kind { get; init; }

    /// <summary>Pending, Succeeded or Failed.</summary>
    [Description("Pending, Succeeded or Failed.")]
    public string? State { get; init; }

    /// <summary>When it was begun.</summary>
    [Description("When it was begun.")]
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was complete.</summary>
    [Description("When it was complete.")]
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Whether it was read back and compared with the volume, file by file.</summary>
    [Description("It was read back and compared, file by file.")]
    public bool? Verified { get; init; }

    /// <summary>What went wrong, in words.</summary>
    [Description("What went wrong, in words.")]
    public string? Message { get; init; }
}

/// <summary>A place in the queue of those who wait for a ceiling.</summary>
public sealed record WorkspaceQueuePlace
{
    /// <summary>One of <see cref="QueueReasons"/>.</summary>
    [Description("What it waits for: Create (a place to exist, and so its volume) or Run.")]
    public string? For { get; init; }

    /// <summary>
    /// 1 for the next one; exact to 20, then rounded up. Null: no wait can help, because it asks for more than the ceiling is.
    /// </summary>
    [Description("Place in the queue; 1 is the next. Exact to 20, then rounded up. Absent: no wait can help, see the message.")]
    public int? Position { get; init; }

    /// <summary>How many wait for the same ceiling.</summary>
    [Description("How many wait for the same ceiling; rounded as the position.")]
    public int? Length { get; init; }

    /// <summary>Since when it waits.</summary>
    [Description("Since when it waits.")]
    public DateTimeOffset? Since { get; init; }

    /// <summary>Which ceiling, in words.</summary>
    [Description("Which ceiling it waits for, and what to do, in words.")]
    public string? Message { get; init; }
}

/// <summary>What a workspace used in this month, up to a time; from there on it grows with what it has.</summary>
/// <remarks>Written with other changes of the status only, so that a quiet workspace costs no writes.</remarks>
public sealed record WorkspaceUsage
{
    /// <summary>Month that the sums are of, such as 2026-11 (UTC).</summary>
    [Description("Month that the sums are of, such as 2026-11, in UTC.")]
    public string? Period { get; init; }

    /// <summary>Up to when the sums are counted.</summary>
    [Description("Up to when the sums are counted; from there on they grow with what the workspace has.")]
    public DateTimeOffset? CountedUntil { get; init; }

    /// <summary>Core seconds reserved or allowed while it ran.</summary>
    [Description("Core seconds: the CPU limit times the time it ran.")]
    public long? CpuSeconds { get; init; }

    /// <summary>GiB seconds of memory.</summary>
    [Description("GiB seconds: the memory limit times the time it ran.")]
    public long? MemoryGiBSeconds { get; init; }

    /// <summary>GPU seconds.</summary>
    [Description("GPU seconds.")]
    public long? GpuSeconds { get; init; }

    /// <summary>GiB seconds of storage, also while it is stopped.</summary>
    [Description("GiB seconds of storage, also while it is stopped.")]
    public long? StorageGiBSeconds { get; init; }

    /// <summary>Cost by the policy's prices, in millionths of the currency.</summary>
    [Description("Cost by the policy's prices, in millionths of its currency.")]
    public long? CostMicros { get; init; }

    /// <summary>Thousandths of cores that it has since <see cref="CountedUntil"/>; null for none.</summary>
    [Description("Thousandths of cores that it has since countedUntil.")]
    public long? CpuMillis { get; init; }

    /// <summary>MiB of memory that it has since <see cref="CountedUntil"/>; null for none.</summary>
    [Description("MiB of memory that it has since countedUntil.")]
    public long? MemoryMiB { get; init; }

    /// <summary>GPUs that it has since <see cref="CountedUntil"/>; null for none.</summary>
    [Description("GPUs that it has since countedUntil.")]
    public long? Gpus { get; init; }

    /// <summary>MiB of storage that it has since <see cref="CountedUntil"/>; null for none.</summary>
    [Description("MiB of storage that it has since countedUntil.")]
    public long? StorageMiB { get; init; }

    /// <summary>Cost of an hour with what it has, in millionths of the currency: what keeping it as it is will cost.</summary>
    [Description("Cost of an hour with what it has, in millionths of the currency: what keeping it as it is will cost.")]
    public long? CostMicrosPerHour { get; init; }

    /// <summary>Month before <see cref="Period"/>, where the workspace had usage counted in it.</summary>
    [Description("The month before.")]
    public string? PreviousPeriod { get; init; }

    /// <summary>Cost of the whole month before, in millionths of the currency.</summary>
    [Description("Cost of the whole month before, in millionths of the currency.")]
    public long? PreviousCostMicros { get; init; }
}
