using System.Globalization;
using Berth.Operator.Archives;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Where a try to make or restore a backup stands.</summary>
internal enum AttemptState
{
    /// <summary>Under way.</summary>
    Running,

    /// <summary>Done.</summary>
    Succeeded,

    /// <summary>Over, and not done.</summary>
    Failed,
}

/// <summary>A try to make or restore a backup: a Job, or a snapshot.</summary>
internal sealed record StorageAttempt
{
    internal const string Archive = "Archive";
    internal const string Snapshot = "Snapshot";

    // A snapshot controller tries for itself and says no only to what will not do; a snapshot takes seconds, a first one of a large
    // volume minutes.
    private static readonly TimeSpan SnapshotPatience = TimeSpan.FromMinutes(30);

    /// <summary>Archive or Snapshot.</summary>
    public required string Kind { get; init; }

    /// <summary>Name of the backup.</summary>
    public required string Backup { get; init; }

    /// <summary>What it was made for.</summary>
    public required string Cause { get; init; }

    public required int Try { get; init; }

    public required AttemptState State { get; init; }

    public required DateTimeOffset Started { get; init; }

    public DateTimeOffset? Finished { get; init; }

    /// <summary>What it told; null of a snapshot, or when its pod is gone.</summary>
    public ArchiveResult? Result { get; init; }

    public string? Message { get; init; }

    public Job? Job { get; init; }

    public VolumeSnapshot? Object { get; init; }

    /// <summary>The content was compared. A driver that says that a snapshot is ready is taken at its word.</summary>
    public bool Verified => State == AttemptState.Succeeded && (Kind == Snapshot || Result?.Verified == true);

    internal bool IsRestore => Cause.StartsWith(StorageCause.RestoreWord, StringComparison.Ordinal);

    internal static StorageAttempt From(Job job, ArchiveResult? result)
    {
        var end = job.Status?.Conditions?.FirstOrDefault(c => c.Type is "Complete" or "Failed" && c.Status == "True");
        var failed = end?.Type == "Failed" || result is { Ok: false };
        return new StorageAttempt
        {
            Kind = Archive,
            Backup = Annotation(job.Metadata, Annotations.Backup) ?? job.Metadata.Name ?? "",
            Cause = Annotation(job.Metadata, Annotations.StorageCause) ?? "",
            Try = TryOf(job.Metadata),
            State = end is null ? AttemptState.Running : failed ? AttemptState.Failed : AttemptState.Succeeded,
            Started = job.Metadata.CreationTimestamp ?? DateTimeOffset.UnixEpoch,
            Finished = end?.LastTransitionTime ?? (end is null ? null : job.Metadata.CreationTimestamp),
            Result = result,
            Message = end is null ? null : result?.Message ?? (failed ? WhyFailed(end) : null),
            Job = job,
        };
    }

    internal static StorageAttempt From(VolumeSnapshot snapshot, DateTimeOffset now)
    {
        var started = snapshot.Metadata.CreationTimestamp ?? now;
        var ready = snapshot.Status?.ReadyToUse == true;
        var error = snapshot.Status?.Error?.Message;
        var end = started + (error is null ? SnapshotPatience : SnapshotPatience / 30);
        var late = !ready && now > end;
        return new StorageAttempt
        {
            Kind = Snapshot,
            Backup = snapshot.Metadata.Name ?? "",
            Cause = Annotation(snapshot.Metadata, Annotations.StorageCause) ?? "",
            Try = TryOf(snapshot.Metadata),
            State = ready ? AttemptState.Succeeded : late ? AttemptState.Failed : AttemptState.Running,
            Started = started,
            Finished = ready ? snapshot.Status!.CreationTime ?? started : late ? end : null,
            Message = ready ? null : error ?? (late ? "The snapshot did not become ready in time." : null),
            Object = snapshot,
        };
    }

    private static string WhyFailed(Condition end) => end.Reason == "DeadlineExceeded"
        ? "It took longer than it may (Backup:DeadlineSeconds)."
        : "Its pod ended without saying why: look at the Job's events and the pod's log.";

    private static int TryOf(ObjectMeta metadata) =>
        int.TryParse(Annotation(metadata, Annotations.StorageTry), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : 1;

    private static string? Annotation(ObjectMeta metadata, string name) => metadata.Annotations?.GetValueOrDefault(name);
}

/// <summary>What a backup is made for: the same wish at the same time is the same cause, so that nothing is made twice.</summary>
internal static class StorageCause
{
    internal const string RestoreWord = "Restore";
    private const string DeleteWord = "Delete";

    internal static string Schedule(DateTimeOffset at) => "Schedule " + Times.Text(at);

    internal static string Request(DateTimeOffset at) => "Request " + Times.Text(at);

    internal static string Delete(DateTimeOffset at) => $"{DeleteWord} {Times.Text(at)}";

    internal static string Restore(WorkspaceRestore wish) =>
        $"{RestoreWord} {wish.Backup} {(wish.RequestedAt is { } at ? Times.Text(at) : "once")}";

    internal static bool IsDelete(string cause) => cause.StartsWith(DeleteWord, StringComparison.Ordinal);
}
