using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The marks on volumes: the one in use bears none but a legal hold; another one of the same workspace was replaced by a restore, and
/// counts as released from the moment that this is noticed.
/// </summary>
internal static class VolumeMarks
{
    internal static ImmutableArray<Step> Make(Observation seen)
    {
        var workspace = seen.Workspace;
        if (seen.Volume is not { } current || !Children.OwnsVolume(workspace, current.Metadata))
        {
            return [];
        }

        var hold = workspace.Spec.Administration?.LegalHold == true ? "true" : null;
        var steps = ImmutableArray.CreateBuilder<Step>();
        Mark(current, (Annotations.ReleasedAt, null), (Annotations.ReplacedBy, null), (Annotations.LegalHold, hold));
        var restored = current.Metadata.Annotations?.ContainsKey(Annotations.StorageCause) == true;
        foreach (var other in seen.Storage.OtherVolumes.Where(v => v.Metadata.DeletionTimestamp is null
            && v.Metadata.Uid != current.Metadata.Uid))
        {
            // Only what a restore set aside, and not what a restore is about to make the one in use.
            if ((restored && !IsNewer(other, current)) || other.Metadata.Annotations?.ContainsKey(Annotations.ReplacedBy) == true)
            {
                Mark(other,
                    (Annotations.ReleasedAt, VolumeLookup.ReleasedAt(other.Metadata) is { } since ? Times.Text(since)
                        : Times.Text(seen.Now)),
                    (Annotations.ReplacedBy, current.Metadata.Name),
                    (Annotations.LegalHold, hold));
            }
        }

        foreach (var other in seen.Storage.OtherVolumes.Where(v => ReleasedVolumes.IsOver(v, seen.Policy, seen.Now)))
        {
            steps.Add(new Step.DeleteReleased(other));
        }

        return steps.ToImmutable();

        void Mark(PersistentVolumeClaim volume, params ReadOnlySpan<(string Name, string? Value)> wanted)
        {
            var changes = ImmutableDictionary.CreateBuilder<string, string?>();
            foreach (var (name, value) in wanted)
            {
                if (volume.Metadata.Annotations?.GetValueOrDefault(name) != value)
                {
                    changes[name] = value;
                }
            }

            if (changes.Count > 0 && volume.Metadata.DeletionTimestamp is null)
            {
                steps.Add(new Step.MarkVolume(volume, changes.ToImmutable()));
            }
        }
    }

    private static bool IsNewer(PersistentVolumeClaim other, PersistentVolumeClaim current) =>
        other.Metadata.Annotations?.ContainsKey(Annotations.StorageCause) == true
        && other.Metadata.CreationTimestamp >= current.Metadata.CreationTimestamp;

    /// <summary>When one of the replaced volumes has been kept long enough; null: none will be.</summary>
    internal static DateTimeOffset? NextExpiry(Observation seen) =>
        seen.Storage.OtherVolumes.Select(v => ReleasedVolumes.ExpiresAt(v, seen.Policy)).Min();
}
