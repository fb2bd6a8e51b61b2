using Berth.Operator.Archives;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>A world with a place for archives, in which Jobs and snapshots end as a test says.</summary>
internal static class StorageWorld
{
    internal static World Create(BackupSettings? backup = null, Func<UserWorkspaceSpec, UserWorkspaceSpec>? change = null,
        bool running = true)
    {
        var world = running ? World.Running() : new World();
        world.Settings = TestData.Settings with { Backup = backup ?? new BackupSettings { Claim = "archives" } };
        world.Seen = world.Seen with { Storage = new StorageFacts { JobsKnown = true } };
        if (change is not null)
        {
            world.Change(change);
        }

        world.Settle();
        return world;
    }

    internal static Func<UserWorkspaceSpec, UserWorkspaceSpec> Backup(
        string? schedule = null, int? keep = null, bool? beforeDelete = null, DateTimeOffset? requestedAt = null, bool delete = false) =>
        s => s with
        {
            Storage = (s.Storage ?? new WorkspaceStorage()) with
            {
                DeletionPolicy = delete ? DeletionPolicies.Delete : DeletionPolicies.Retain,
                Backup = new WorkspaceBackup { Schedule = schedule, Keep = keep, BeforeDelete = beforeDelete, RequestedAt = requestedAt },
            },
        };

    internal static Func<UserWorkspaceSpec, UserWorkspaceSpec> Restore(string backup, DateTimeOffset? at = null) =>
        s => s with
        {
            Storage = (s.Storage ?? new WorkspaceStorage()) with
            {
                Restore = new WorkspaceRestore
                {
                    Backup = backup,
                    RequestedAt = at
                }
            }
        };

    internal static Job? Job(this World world) => world.Seen.Storage.Jobs.LastOrDefault(j => j.Status?.Conditions is null);

    internal static string Argument(this Job job, string name)
    {
        var arguments = job.Spec!.Template.Spec!.Containers.Single().Args!.ToList();
        return arguments[arguments.IndexOf(name) + 1];
    }

    /// <summary>The Job under way ends; null for the result: its pod is gone.</summary>
    internal static void EndJob(this World world, ArchiveResult? result, bool? complete = null)
    {
        var job = world.Job()!;
        var done = job with
        {
            Status = new JobStatus
            {
                Conditions = [new Condition
                {
                    Type = complete ?? result?.Ok == true ? "Complete" : "Failed",
                    Status = "True",
                    LastTransitionTime = world.Now,
                }],
            },
        };
        world.Seen = world.Seen with
        {
            Storage = world.Seen.Storage with
            {
                Jobs = [.. world.Seen.Storage.Jobs.Select(j => j.Metadata.Name == job.Metadata.Name ? done : j)],
                Results = result is null ? world.Seen.Storage.Results : world.Seen.Storage.Results.SetItem(job.Metadata.Name!, result),
            },
        };
    }

    internal static ArchiveResult Succeeded(this World world, params string[] earlier)
    {
        var name = world.Job()!.Argument("--name");
        return new ArchiveResult
        {
            Ok = true,
            Name = name,
            Verified = true,
            Archives = [.. earlier.Prepend(name).Select(n => new StoredArchive { Name = n, Completed = world.Now })],
        };
    }

    internal static ArchiveResult Failed(string message = "no room", bool touched = false) =>
        new() { Message = message, Touched = touched };

    internal static void Delete(this World world) => world.Seen = world.Seen with
    {
        Workspace = world.Seen.Workspace with { Metadata = world.Seen.Workspace.Metadata with { DeletionTimestamp = world.Now } },
    };
}
