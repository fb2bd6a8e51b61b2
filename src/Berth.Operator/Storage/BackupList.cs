using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>The backups that there are: what the status says of them, and which of their traces may go.</summary>
internal static class BackupList
{
    private const int MostListed = 10;

    /// <summary>What there is besides what is due: recorded Jobs, snapshots that came to nothing, backups beyond those to keep.</summary>
    internal static ImmutableArray<Step> Tidy(List<StorageAttempt> attempts, string? due, BackupWish wish, Observation seen)
    {
        var steps = ImmutableArray.CreateBuilder<Step>();
        var newest = Newest(attempts.Where(a => a.State == AttemptState.Failed));
        foreach (var attempt in attempts.Where(a => a.State != AttemptState.Running && a.Cause != due))
        {
            // The last Job that failed stays for its log, until another one is made or its time is up.
            if (attempt.Job is { Metadata.DeletionTimestamp: null } job
                && (attempt.State == AttemptState.Succeeded || attempt != newest || attempts.Any(a => a.Started > attempt.Started)))
            {
                steps.Add(new Step.DeleteJob(job));
            }
            else if (attempt is { State: AttemptState.Failed, Object: { Metadata.DeletionTimestamp: null } failed })
            {
                steps.Add(new Step.DeleteSnapshot(failed));
            }
        }

        if (seen.Workspace.Spec.Administration?.LegalHold != true)
        {
            steps.AddRange(attempts
                .Where(a => a is { State: AttemptState.Succeeded, Object: { Metadata.DeletionTimestamp: null } })
                .OrderByDescending(a => a.Started).ThenByDescending(a => a.Backup, StringComparer.Ordinal)
                .Skip(Math.Max(1, wish.Keep))
                .Where(a => a.Cause != due && !ReleasedVolumes.IsHeld(a.Object!.Metadata))
                .Select(a => new Step.DeleteSnapshot(a.Object!)));
        }

        return steps.ToImmutable();
    }

    /// <summary>The list for the status: what is known to exist, what is under way, and the last failure.</summary>
    internal static ImmutableArray<WorkspaceBackupStatus> Of(
        ImmutableArray<WorkspaceBackupStatus> former, List<StorageAttempt> attempts, Observation seen)
    {
        var list = former.Where(b => b.State == "Succeeded").ToDictionary(b => b.Name, StringComparer.Ordinal);
        if (seen.Storage.Snapshots is not null)
        {
            foreach (var gone in list.Values.Where(b => b.Kind == StorageAttempt.Snapshot
                && attempts.All(a => a.Object?.Metadata.Name != b.Name)).ToList())
            {
                list.Remove(gone.Name);
            }
        }

        // The newest run says which archives there are.
        if (Newest(attempts.Where(a => a.Result?.Archives is not null)) is { } teller)
        {
            foreach (var gone in list.Values.Where(b => b.Kind == StorageAttempt.Archive).ToList())
            {
                list.Remove(gone.Name);
            }

            foreach (var archive in teller.Result!.Archives!)
            {
                list[archive.Name] = new WorkspaceBackupStatus
                {
                    Name = archive.Name,
                    Kind = StorageAttempt.Archive,
                    State = "Succeeded",
                    StartedAt = former.FirstOrDefault(b => b.Name == archive.Name)?.StartedAt,
                    CompletedAt = archive.Completed,
                    Verified = !archive.Incomplete,
                    Message = archive.Name == teller.Backup ? teller.Message
                        : former.FirstOrDefault(b => b.Name == archive.Name)?.Message,
                };
            }
        }

        foreach (var attempt in attempts.Where(a => a.State == AttemptState.Succeeded && !list.ContainsKey(a.Backup)
            && (a.Object is not null || a.Result?.Archives is null)))
        {
            list[attempt.Backup] = Entry(attempt);
        }

        var last = Newest(attempts);
        IEnumerable<WorkspaceBackupStatus> shown = list.Values;
        if (last is { State: not AttemptState.Succeeded } && !list.ContainsKey(last.Backup))
        {
            shown = shown.Append(Entry(last));
        }
        else if (last is null && former.FirstOrDefault(b => b.State == "Failed") is { } failed)
        {
            shown = shown.Append(failed);
        }

        return Shortened(shown);
    }

    // An API server's times are whole seconds: of two within one the one under way is the later, and else names tell, which are made of
    // times.
    private static StorageAttempt? Newest(IEnumerable<StorageAttempt> attempts) => attempts
        .OrderBy(a => a.Started).ThenBy(a => a.State == AttemptState.Running).ThenBy(a => a.Backup, StringComparer.Ordinal)
        .LastOrDefault();

    private static WorkspaceBackupStatus Entry(StorageAttempt attempt) => new()
    {
        Name = attempt.Backup,
        Kind = attempt.Kind,
        State = attempt.State switch
        {
            AttemptState.Running => "Pending",
            AttemptState.Succeeded => "Succeeded",
            _ => "Failed",
        },
        StartedAt = attempt.Started,
        CompletedAt = attempt.State == AttemptState.Succeeded ? attempt.Finished : null,

        // Only a comparison that was made is told: a driver's word is not one.
        Verified = attempt.State == AttemptState.Succeeded && attempt.Kind == StorageAttempt.Archive ? attempt.Verified : null,
        Message = attempt.Message,
    };

    internal static ImmutableArray<WorkspaceBackupStatus> Shortened(IEnumerable<WorkspaceBackupStatus> list) =>
    [
        .. list.OrderByDescending(b => b.State == "Pending")
            .ThenByDescending(b => b.StartedAt ?? b.CompletedAt)
            .ThenByDescending(b => b.Name, StringComparer.Ordinal)
            .Take(MostListed),
    ];
}
