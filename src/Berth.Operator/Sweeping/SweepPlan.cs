using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>An object of ours, as the caches hold it.</summary>
internal sealed record SweepObject(string Kind, ObjectMeta Metadata)
{
    /// <summary>People's files are in it.</summary>
    public bool HoldsData { get; init; }

    /// <summary>When a Lease was renewed last.</summary>
    public DateTimeOffset? RenewedAt { get; init; }

    /// <summary>The object itself, for events.</summary>
    public IKubeObject? Source { get; init; }

    /// <summary>Deletes it, by uid.</summary>
    public Func<CancellationToken, Task>? Delete { get; init; }

    internal ResourceKey Key => new(Metadata.Namespace ?? "", Metadata.Name ?? "");
}

/// <summary>What becomes of an object that nobody looks after any more.</summary>
internal enum SweepAction
{
    /// <summary>It is told, and left alone.</summary>
    Report,

    Delete,
}

/// <summary>An orphan.</summary>
internal sealed record Orphan(SweepObject Object, SweepAction Action, string Why);

/// <summary>
/// Which objects bear our labels and belong to no living workspace. Garbage collection removes what has an owner that is gone; this is
/// for what lost its owner reference, for a collector that does not run, and for Leases of replicas that died without a word. Pure.
/// </summary>
internal static class SweepPlan
{
    /// <summary>Finds them.</summary>
    /// <param name="objects">Everything of ours.</param>
    /// <param name="isLive">Whether a uid is that of a workspace or template there is.</param>
    /// <param name="isWorkspace">Whether there is a workspace of a name.</param>
    /// <param name="minAge">Younger ones are left alone: their owner may not be in the caches yet.</param>
    /// <param name="dryRun">What holds data is only told.</param>
    /// <param name="now">The present.</param>
    internal static ImmutableArray<Orphan> Make(
        IEnumerable<SweepObject> objects,
        Func<string, bool> isLive,
        Func<ResourceKey, bool> isWorkspace,
        TimeSpan minAge,
        bool dryRun,
        DateTimeOffset now) =>
        [.. objects.Select(o => Judge(o, isLive, isWorkspace, minAge, dryRun, now)).OfType<Orphan>()];

    private static Orphan? Judge(
        SweepObject obj, Func<string, bool> isLive, Func<ResourceKey, bool> isWorkspace, TimeSpan minAge, bool dryRun, DateTimeOffset now)
    {
        var meta = obj.Metadata;
        if (meta.DeletionTimestamp is not null || meta.CreationTimestamp is not { } created || now - created < minAge)
        {
            return null;
        }

        if (obj.Kind == Lease.Descriptor.Kind)
        {
            return meta.Labels?.GetValueOrDefault(EdgeLeases.Component) == EdgeLeases.ComponentValue
                && now - (obj.RenewedAt ?? created) >= (minAge > EdgeSilence ? minAge : EdgeSilence)
                ? new Orphan(obj, SweepAction.Delete, "its replica of the edge has been silent for a day or longer")
                : null;
        }

        // Pools look after their own; what is not ours is not ours.
        if (meta.Labels?.GetValueOrDefault(Labels.ManagedBy) != Labels.ManagedByValue
            || meta.Labels.GetValueOrDefault(Labels.Workspace) is not { Length: > 0 } workspace
            || meta.Annotations?.GetValueOrDefault(Annotations.LegalHold) == "true"
            || meta.OwnerReferences?.Any(o => isLive(o.Uid)) == true
            || isWorkspace(new ResourceKey(meta.Namespace ?? "", workspace)))
        {
            return null;
        }

        // A kept volume has its window, and whoever counts it deletes it at its end. One without is what this has to find.
        if (obj.HoldsData)
        {
            return Times.Parse(meta.Annotations?.GetValueOrDefault(Annotations.ReleasedAt)) is null
                ? new Orphan(obj, dryRun ? SweepAction.Report : SweepAction.Delete,
                    $"there is no workspace '{workspace}', and no undelete window is counted for it")
                : null;
        }

        return new Orphan(obj, SweepAction.Delete, $"there is no workspace '{workspace}'");
    }

    // Long after it counts as dead for everything else: a Lease is small, and the clock of its writer may be wrong.
    private static readonly TimeSpan EdgeSilence = TimeSpan.FromDays(1);
}
