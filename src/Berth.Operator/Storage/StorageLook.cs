using System.Collections.Concurrent;
using System.Collections.Immutable;
using Berth.Operator.Archives;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>
/// Reads what decisions about storage are made from and no cache holds: classes, snapshots, what finished Jobs told. Only when it matters,
/// and classes at most once a minute.
/// </summary>
internal sealed class StorageLook(IKubeClient client, WorkspaceCaches caches, BackupSettings settings, TimeProvider time,
    ILogger<StorageLook> logger)
{
    private static readonly TimeSpan ClassesFor = TimeSpan.FromMinutes(1);

    // Long enough for no storm of refused writes, short enough that a raised quota is noticed the same hour.
    private static readonly TimeSpan RefusalFor = TimeSpan.FromMinutes(30);

    // The last failed Job of a workspace stays for a day; each is asked for once.
    private const int MostResults = 10_000;

    private readonly ConcurrentDictionary<string, (StorageClass? Class, bool Readable, DateTimeOffset Until)> _classes = [];
    private readonly ConcurrentDictionary<(string Uid, string Size), (string Message, DateTimeOffset Until)> _refusals = [];
    private readonly ConcurrentDictionary<string, ArchiveResult> _results = [];
    private readonly Lock _gate = new();
    private (ImmutableArray<VolumeSnapshotClass> Classes, bool Served, DateTimeOffset Until) _snapshots;

    /// <summary>Adds to what was observed.</summary>
    internal async Task<Observation> LookAsync(Observation seen, CancellationToken cancellationToken)
    {
        var key = seen.Workspace.Key();
        var jobs = caches.StorageJobs is { } cache ? cache.Of(key) : [];
        var results = ImmutableDictionary.CreateBuilder<string, ArchiveResult>();
        foreach (var job in jobs.Where(j => StorageAttempt.From(j, null).State != AttemptState.Running))
        {
            if (await ResultAsync(job, cancellationToken) is { } result)
            {
                results[job.Metadata.Name!] = result;
            }
        }

        var facts = seen.Storage with
        {
            JobsKnown = caches.StorageJobs?.Informer.HasSynced == true,
            Jobs = [.. jobs],
            Results = results.ToImmutable(),
            OtherVolumes = [.. caches.VolumeLookup.Labelled(key).Where(v => v.Metadata.Name != seen.Volume?.Metadata.Name
                && Children.OwnsVolume(seen.Workspace, v.Metadata))],
        };
        seen = seen with { Storage = facts };
        return NeedsSnapshots(seen) ? await WithSnapshotsAsync(seen, cancellationToken) : seen;
    }

    /// <summary>Whether a claim may become larger: by what the API said before, or by its class.</summary>
    internal async Task<Growth> GrowthAsync(PersistentVolumeClaim volume, string size, CancellationToken cancellationToken)
    {
        if (_refusals.TryGetValue((volume.Metadata.Uid ?? "", size), out var known))
        {
            if (known.Until > time.GetUtcNow())
            {
                return new Growth(GrowthVerdict.Refused, known.Message);
            }

            _refusals.TryRemove((volume.Metadata.Uid ?? "", size), out _);
        }

        var name = volume.Spec?.StorageClassName;
        if (string.IsNullOrEmpty(name))
        {
            return new Growth(GrowthVerdict.Refused, "It has no storage class, so nobody can make it larger.");
        }

        var (found, readable) = await ClassAsync(name, cancellationToken);
        return !readable ? Growth.Unknown
            : found?.AllowVolumeExpansion == true ? new Growth(GrowthVerdict.Allowed)
            : new Growth(GrowthVerdict.Refused, found is null
                ? $"Its storage class '{name}' is gone."
                : $"Its storage class '{name}' does not allow volumes to grow (allowVolumeExpansion).");
    }

    /// <summary>The API refused: not asked again for a while.</summary>
    internal void Refused(ResourceKey key, PersistentVolumeClaim volume, string size, string message)
    {
        var now = time.GetUtcNow();
        foreach (var old in _refusals.Where(r => r.Value.Until <= now).Select(r => r.Key).ToList())
        {
            _refusals.TryRemove(old, out _);
        }

        _refusals[(volume.Metadata.Uid ?? "", size)] = (message, now + RefusalFor);
        StorageLog.GrowthRefused(logger, key, size, message);
    }

    private bool NeedsSnapshots(Observation seen)
    {
        if (settings.Mode is BackupMode.Off or BackupMode.Archive)
        {
            return false;
        }

        var status = seen.Workspace.Status?.Storage;
        return RestorePlan.Wish(seen.Workspace) is not null
            || BackupPlan.Due(seen, BackupWish.Of(seen)) is not null
            || status?.Backups?.Any(b => b is { State: "Pending", Kind: StorageAttempt.Snapshot }) == true
            || status?.Backups?.Count(b => b is { State: "Succeeded", Kind: StorageAttempt.Snapshot }) > BackupWish.Of(seen).Keep;
    }

    private async Task<Observation> WithSnapshotsAsync(Observation seen, CancellationToken cancellationToken)
    {
        var (classes, served) = await SnapshotClassesAsync(cancellationToken);
        if (!served)
        {
            return seen;
        }

        var owner = WorkspaceNames.OwnerHash(seen.Workspace.Spec.Owner.Issuer, seen.Workspace.Spec.Owner.Subject);
        var list = ImmutableArray.CreateBuilder<VolumeSnapshot>();
        string? next = null;
        do
        {
            var page = await client.ListPageAsync<VolumeSnapshot>(
                seen.Workspace.Metadata.Namespace,
                new ListOptions
                {
                    LabelSelector = $"{Labels.ManagedBy}={Labels.ManagedByValue},{Labels.StorageOf}={seen.Workspace.Metadata.Name},"
                        + $"{Labels.Owner}={owner}",
                    Limit = 200,
                    Continue = next,
                    OmitManagedFields = true,
                },
                cancellationToken);
            list.AddRange(page.Items);
            next = page.Metadata.Continue;
        }
        while (!string.IsNullOrEmpty(next));

        return seen with
        {
            Storage = seen.Storage with
            {
                Snapshots = list.ToImmutable(),
                SnapshotClass = seen.Volume?.Spec?.StorageClassName is { Length: > 0 } name
                    ? settings.SnapshotClass ?? await SnapshotClassOfAsync(name, classes, cancellationToken) : null,
            },
        };
    }

    private async Task<string?> SnapshotClassOfAsync(
        string storageClass, ImmutableArray<VolumeSnapshotClass> classes, CancellationToken cancellationToken)
    {
        var (found, _) = await ClassAsync(storageClass, cancellationToken);
        return found is null ? null : classes.Where(c => c.Driver == found.Provisioner)
            .OrderByDescending(c => c.Metadata.Annotations?.GetValueOrDefault("snapshot.storage.kubernetes.io/is-default-class") == "true")
            .ThenBy(c => c.Metadata.Name, StringComparer.Ordinal).FirstOrDefault()?.Metadata.Name;
    }

    private async Task<(StorageClass? Class, bool Readable)> ClassAsync(string name, CancellationToken cancellationToken)
    {
        if (_classes.TryGetValue(name, out var known) && known.Until > time.GetUtcNow())
        {
            return (known.Class, known.Readable);
        }

        (StorageClass? Class, bool Readable) found;
        try
        {
            found = (await client.TryGetAsync<StorageClass>(null, name, cancellationToken), true);
        }
        catch (KubeException e) when (e.Code == 403)
        {
            StorageLog.NotReadable(logger, StorageClass.Descriptor.Kind, e.Message);
            found = (null, false);
        }

        _classes[name] = (found.Class, found.Readable, time.GetUtcNow() + ClassesFor);
        return found;
    }

    private async Task<(ImmutableArray<VolumeSnapshotClass> Classes, bool Served)> SnapshotClassesAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_snapshots.Until > time.GetUtcNow())
            {
                return (_snapshots.Classes, _snapshots.Served);
            }
        }

        ImmutableArray<VolumeSnapshotClass> classes = [];
        var served = await client.IsServedAsync(VolumeSnapshot.Descriptor, cancellationToken);
        if (served)
        {
            try
            {
                classes = [.. (await client.ListPageAsync<VolumeSnapshotClass>(null, new ListOptions(), cancellationToken)).Items];
            }
            catch (KubeException e) when (e.Code is 403 or 404)
            {
                StorageLog.NotReadable(logger, VolumeSnapshotClass.Descriptor.Kind, e.Message);
            }
        }

        lock (_gate)
        {
            _snapshots = (classes, served, time.GetUtcNow() + ClassesFor);
        }

        return (classes, served);
    }

    /// <summary>What a finished Job's pod left in its termination message.</summary>
    private async Task<ArchiveResult?> ResultAsync(Job job, CancellationToken cancellationToken)
    {
        if (_results.TryGetValue(job.Metadata.Uid ?? "", out var known))
        {
            return known;
        }

        var pods = await client.ListPageAsync<Pod>(
            job.Metadata.Namespace,
            new ListOptions { LabelSelector = $"job-name={job.Metadata.Name}", Limit = 10, OmitManagedFields = true },
            cancellationToken);
        var told = pods.Items
            .Where(p => p.Metadata.OwnerReferences?.Any(o => o.Uid == job.Metadata.Uid) == true)
            .SelectMany(p => p.Status?.ContainerStatuses ?? [])
            .Select(c => ArchiveResult.Parse(c.State?.Terminated?.Message))
            .FirstOrDefault(r => r is not null);
        if (told is not null)
        {
            if (_results.Count >= MostResults)
            {
                _results.Clear();
            }

            _results[job.Metadata.Uid ?? ""] = told;
        }

        return told;
    }
}
