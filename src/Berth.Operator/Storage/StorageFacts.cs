using System.Collections.Immutable;
using Berth.Operator.Archives;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Whether a claim may become larger.</summary>
internal enum GrowthVerdict
{
    /// <summary>Not looked at: nobody wishes for more, or the class cannot be read. The API will say.</summary>
    Unknown,

    /// <summary>Its class allows it.</summary>
    Allowed,

    /// <summary>It may not.</summary>
    Refused,
}

/// <summary>Whether a claim may become larger, and why not.</summary>
/// <param name="Verdict">Whether.</param>
/// <param name="Reason">Why not, in words; null when it may.</param>
internal sealed record Growth(GrowthVerdict Verdict, string? Reason = null)
{
    internal static Growth Unknown { get; } = new(GrowthVerdict.Unknown);
}

/// <summary>
/// What is known of a workspace's storage beside its volume. What is read from the API and not from a cache is read when it matters.
/// </summary>
internal sealed record StorageFacts
{
    /// <summary>Jobs are watched, and the first picture is complete: what is not in <see cref="Jobs"/> does not exist.</summary>
    public bool JobsKnown { get; init; }

    /// <summary>Jobs about this workspace's volume.</summary>
    public ImmutableArray<Job> Jobs { get; init; } = [];

    /// <summary>What finished Jobs told, by name; a Job whose pod is gone has none.</summary>
    public ImmutableDictionary<string, ArchiveResult> Results { get; init; } = ImmutableDictionary<string, ArchiveResult>.Empty;

    /// <summary>Snapshots of this workspace's volumes; null when they were not read.</summary>
    public ImmutableArray<VolumeSnapshot>? Snapshots { get; init; }

    /// <summary>Class for a snapshot of the present claim; null: it cannot have any.</summary>
    public string? SnapshotClass { get; init; }

    /// <summary>All other claims that bear this workspace's and its owner's labels.</summary>
    public ImmutableArray<PersistentVolumeClaim> OtherVolumes { get; init; } = [];

    /// <summary>Whether the claim may become larger.</summary>
    public Growth Growth { get; init; } = Growth.Unknown;
}
