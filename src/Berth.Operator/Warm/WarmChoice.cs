using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Whether a start may take a waiting pod, and which ones; pure.</summary>
/// <param name="Candidates">Pods that would do, the one that has waited longest first.</param>
/// <param name="Reason">Why there is none, one of the constants here; null when there is one.</param>
internal sealed record WarmChoice(ImmutableArray<Pod> Candidates, string? Reason)
{
    /// <summary>The template has no pool.</summary>
    internal const string NoPool = "NoPool";

    /// <summary>The person has files already, and they are not in the pool's volume.</summary>
    internal const string HasVolume = "HasVolume";

    /// <summary>The template cannot be pooled.</summary>
    internal const string NotPoolable = "NotPoolable";

    /// <summary>Parameters or resources are other than those that the pool is made with.</summary>
    internal const string Choices = "Choices";

    /// <summary>What waits was made from an earlier revision of the template.</summary>
    internal const string Outdated = "Outdated";

    /// <summary>What waits is not ready yet.</summary>
    internal const string NotReady = "NotReady";

    /// <summary>Nothing waits.</summary>
    internal const string Empty = "Empty";

    /// <summary>The API would not let the operator claim.</summary>
    internal const string Refused = "Refused";

    /// <summary>Others were faster.</summary>
    internal const string Raced = "Raced";

    /// <summary>Chooses.</summary>
    /// <param name="seen">The workspace as it is.</param>
    /// <param name="pod">The pod that would be made for it.</param>
    /// <param name="claim">The volume that would be made for it; null when it has one.</param>
    /// <param name="pool">All pods of the template's pool.</param>
    /// <param name="revision">Revision of the template's pool; null when it has none.</param>
    internal static WarmChoice Make(
        Observation seen, Pod pod, PersistentVolumeClaim? claim, IReadOnlyList<Pod> pool, Func<string?> revision)
    {
        if (seen.Template is not { Spec: { WarmPool.Size: > 0, Retired: null } })
        {
            return new([], NoPool);
        }

        if (claim is null || seen.Volume is not null || seen.Workspace.Status?.Storage?.ClaimName is not null)
        {
            return new([], HasVolume);
        }

        if (PoolBlueprint.Of(pod, claim) is not { Obstacle: null } wanted)
        {
            return new([], NotPoolable);
        }

        var waiting = pool.Where(PoolPods.IsWaiting).ToList();
        var fitting = waiting.Where(p => PoolPods.RevisionOf(p) == wanted.Revision).ToList();
        ImmutableArray<Pod> ready =
        [
            .. fitting.Where(PoolPods.IsReady)
                .OrderBy(p => p.Metadata.CreationTimestamp)
                .ThenBy(p => p.Metadata.Name, StringComparer.Ordinal),
        ];
        return ready.Length > 0 ? new(ready, null)
            : fitting.Count > 0 ? new([], NotReady)
            : revision() != wanted.Revision ? new([], Choices)
            : new([], waiting.Count > 0 ? Outdated : Empty);
    }
}

/// <summary>What a pool's pod says of itself.</summary>
internal static class PoolPods
{
    /// <summary>Nobody took it, and it is not ending.</summary>
    internal static bool IsWaiting(Pod pod) => !IsClaimed(pod.Metadata) && pod.Metadata.DeletionTimestamp is null;

    /// <summary>
    /// A workspace took it. The annotation counts like the label: somebody who takes the label away by hand does not make the volume empty.
    /// </summary>
    internal static bool IsClaimed(ObjectMeta metadata) =>
        metadata.Labels?.ContainsKey(Labels.Workspace) == true || metadata.Annotations?.ContainsKey(Annotations.Identity) == true;

    internal static bool IsReady(Pod pod) =>
        pod.Status is { Phase: "Running", Conditions: { } conditions } && conditions.Any(c => c.Type == "Ready" && c.Status == "True");

    internal static string? RevisionOf(Pod pod) => pod.Metadata.Annotations?.GetValueOrDefault(Annotations.PoolRevision);

    /// <summary>When a workspace took it; null for a pod that was made for its workspace.</summary>
    internal static DateTimeOffset? ClaimedAt(Pod pod) => Times.Parse(pod.Metadata.Annotations?.GetValueOrDefault(Annotations.ClaimedAt));
}
