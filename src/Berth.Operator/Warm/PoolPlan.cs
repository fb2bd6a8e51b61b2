using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What to do about a pool: a pure function of its pods and claims.</summary>
/// <remarks>
/// Guarantees, which property tests hold: what a workspace claimed is never deleted, nor a volume whose pod is there; never more than the
/// refill rate is made in any minute; never more than one pod above the size; while pods fail and none is ready, one is tried at a time,
/// after growing pauses.
/// </remarks>
internal sealed record PoolPlan
{
    /// <summary>A volume without a pod is only waste after this time: its pod may be on its way.</summary>
    internal static readonly TimeSpan OrphanedAfter = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>How many pairs of volume and pod to make.</summary>
    public int Create { get; init; }

    public ImmutableArray<Pod> Delete { get; init; } = [];

    public ImmutableArray<PersistentVolumeClaim> DeleteClaims { get; init; } = [];

    /// <summary>Pods that do not come up, with the reason.</summary>
    public ImmutableArray<(Pod Pod, string Message)> Failing { get; init; } = [];

    /// <summary>Ready and of the present revision: workspaces can take them.</summary>
    public int Ready { get; init; }

    public int Starting { get; init; }

    public int Outdated { get; init; }

    public required PoolMemory Memory { get; init; }

    /// <summary>When to look again although nothing changes.</summary>
    public DateTimeOffset? LookAgainAt { get; init; }

    internal static PoolPlan Make(
        PoolWish wish, IReadOnlyList<Pod> pods, IReadOnlyList<PersistentVolumeClaim> claims, PoolMemory memory, DateTimeOffset now)
    {
        var looks = new List<DateTimeOffset>();
        var orphans = Orphans(pods, claims, now, looks);
        var waiting = pods.Where(PoolPods.IsWaiting).ToList();
        if (wish.Size == 0)
        {
            return new PoolPlan
            {
                Delete = [.. waiting],
                DeleteClaims = orphans,
                Memory = memory with { Failures = 0, NextTryAt = null },
                LookAgainAt = Earliest(looks, now),
            };
        }

        var delete = new List<Pod>();
        var sorted = Sort(wish, waiting, now, looks, delete);
        memory = Failures(sorted, memory, now, delete, out var retried);
        Shrink(wish, sorted, delete);

        var made = Made(pods, memory, now);
        memory = memory with { Made = [.. memory.Made.Where(t => t > now - Window)] };
        var create = ToMake(wish, sorted, memory, now, retried);
        var allowed = Math.Max(0, wish.RefillPerMinute - made.Count);
        if (create > allowed)
        {
            create = allowed;
            looks.Add((made.Count > 0 ? made.Min() : now) + Window);
        }

        if (memory.NextTryAt is { } next)
        {
            looks.Add(next);
        }

        return new PoolPlan
        {
            Create = create,
            Delete = [.. delete],
            DeleteClaims = orphans,
            Failing = [.. sorted.Failing.Select(f => (f.Pod, f.Failure.Message))],
            Ready = sorted.Good.Count(PoolPods.IsReady) + sorted.Aged.Count(PoolPods.IsReady),
            Starting = sorted.Good.Count(p => !PoolPods.IsReady(p)),
            Outdated = sorted.Old.Count + sorted.Aged.Count,
            Memory = memory with { Made = [.. memory.Made, .. Enumerable.Repeat(now, create)] },
            LookAgainAt = Earliest(looks, now),
        };
    }

    /// <summary>A pool's pods by what they are good for. Lists keep the order of age, the oldest first.</summary>
    private sealed record Sorted
    {
        /// <summary>Of the present revision, ready or on the way.</summary>
        public List<Pod> Good { get; } = [];

        /// <summary>Of the present revision, and waiting too long: good until another one is ready.</summary>
        public List<Pod> Aged { get; } = [];

        /// <summary>Of an earlier revision: good for nothing, and replaced one by one.</summary>
        public List<Pod> Old { get; } = [];

        public List<(Pod Pod, PodFailure Failure)> Failing { get; } = [];

        public int Total => Good.Count + Aged.Count + Old.Count + Failing.Count;
    }

    private static Sorted Sort(PoolWish wish, List<Pod> waiting, DateTimeOffset now, List<DateTimeOffset> looks, List<Pod> delete)
    {
        var sorted = new Sorted();
        foreach (var pod in waiting.OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal))
        {
            var made = pod.Metadata.CreationTimestamp ?? now;
            var current = PoolPods.RevisionOf(pod) == wish.Revision;
            if (Failure(wish, pod, now, looks) is { } failure)
            {
                // What it was made from is no more, or it went down with its node: neither says anything about the next one.
                if (!current || failure.Reason == Reasons.NodeLost)
                {
                    delete.Add(pod);
                }
                else
                {
                    sorted.Failing.Add((pod, failure));
                }
            }
            else if (!current)
            {
                sorted.Old.Add(pod);
            }
            else if (now >= made + wish.MaxAge)
            {
                sorted.Aged.Add(pod);
            }
            else
            {
                sorted.Good.Add(pod);
                looks.Add(made + wish.MaxAge);
            }
        }

        return sorted;
    }

    private static PodFailure? Failure(PoolWish wish, Pod pod, DateTimeOffset now, List<DateTimeOffset> looks)
    {
        var failure = FailureClassifier.Classify(pod, [], now);
        if (failure is not null)
        {
            // One that waits for a node is no failure: it takes the next that comes.
            return failure.Effect == FailureEffect.Wait ? null : failure;
        }

        var late = (pod.Metadata.CreationTimestamp ?? now) + wish.Progress;
        if (PoolPods.IsReady(pod) || string.IsNullOrEmpty(pod.Spec?.NodeName))
        {
            return null;
        }

        if (now >= late)
        {
            return new PodFailure(FailureClasses.Template, Reasons.NotReady,
                $"it does not answer after {wish.Progress.TotalSeconds:0} s", FailureEffect.Replace);
        }

        looks.Add(late);
        return null;
    }

    /// <summary>Of the pods that failed for good, one goes after each pause. Those that the node keeps trying stay.</summary>
    private static PoolMemory Failures(Sorted sorted, PoolMemory memory, DateTimeOffset now, List<Pod> delete, out bool retried)
    {
        retried = false;
        if (sorted.Failing.Count == 0)
        {
            return memory.NextTryAt is { } pause && now < pause ? memory
                : sorted.Good.Exists(PoolPods.IsReady) ? memory with { Failures = 0, NextTryAt = null }
                : memory with { NextTryAt = null };
        }

        var ended = sorted.Failing.FindIndex(f => f.Failure.Effect == FailureEffect.Replace);
        if (ended < 0)
        {
            return memory.NextTryAt is { } until && now >= until ? memory with { NextTryAt = null } : memory;
        }

        if (memory.NextTryAt is not { } next)
        {
            return memory.Failed(now);
        }

        if (now < next)
        {
            return memory;
        }

        delete.Add(sorted.Failing[ended].Pod);
        sorted.Failing.RemoveAt(ended);
        retried = true;
        return memory with { NextTryAt = null };
    }

    /// <summary>What is too many: for each ready one of the present revision an earlier one goes; then what is above the size.</summary>
    private static void Shrink(PoolWish wish, Sorted sorted, List<Pod> delete)
    {
        var ready = sorted.Good.Count(PoolPods.IsReady);
        Take(sorted.Old, ready + sorted.Old.Count + sorted.Aged.Count - wish.Size);
        Take(sorted.Aged, ready + sorted.Old.Count + sorted.Aged.Count - wish.Size);
        if (sorted.Old.Count + sorted.Aged.Count > 0)
        {
            return;
        }

        // The pool became smaller. Those that are not ready go first, the youngest of them before the others.
        var surplus = sorted.Good.Count - wish.Size;
        var last = sorted.Good.OrderBy(PoolPods.IsReady).ThenByDescending(p => p.Metadata.CreationTimestamp);
        foreach (var pod in last.Take(Math.Max(0, surplus)).ToList())
        {
            sorted.Good.Remove(pod);
            delete.Add(pod);
        }

        void Take(List<Pod> from, int count)
        {
            // The oldest first, but what answers nobody before what somebody could still take.
            foreach (var pod in from.OrderBy(PoolPods.IsReady).Take(Math.Max(0, count)).ToList())
            {
                from.Remove(pod);
                delete.Add(pod);
            }
        }
    }

    private static int ToMake(PoolWish wish, Sorted sorted, PoolMemory memory, DateTimeOffset now, bool retried)
    {
        if (memory.NextTryAt is { } pause && now < pause)
        {
            return 0;
        }

        // One above the size, so that an old pod goes only when its successor is ready.
        var replaced = sorted.Old.Count + sorted.Aged.Count;
        var room = replaced > 0 ? wish.Size + 1 - sorted.Total : wish.Size - sorted.Total;
        var make = Math.Clamp(wish.Size - sorted.Good.Count - sorted.Failing.Count, 0, Math.Max(0, room));
        if ((sorted.Failing.Count > 0 || memory.Failures > 0) && !sorted.Good.Exists(PoolPods.IsReady))
        {
            // All that is known of this revision is that it fails: one shows whether that has changed.
            var trying = sorted.Good.Count > 0 || sorted.Failing.Exists(f => f.Failure.Effect == FailureEffect.Stuck);
            return trying && !(retried && sorted.Good.Count == 0) ? 0 : Math.Min(make, 1);
        }

        return make;
    }

    /// <summary>Times at which pods were made in the last minute, by memory or, from before it, by their own word.</summary>
    private static List<DateTimeOffset> Made(IReadOnlyList<Pod> pods, PoolMemory memory, DateTimeOffset now) =>
    [
        .. memory.Made.Where(t => t > now - Window),
        .. pods.Select(p => p.Metadata.CreationTimestamp).OfType<DateTimeOffset>().Where(t => t < memory.Since && t > now - Window),
    ];

    /// <summary>
    /// Volumes that nobody claimed and no pod uses: they are empty. A pod of the volume's name uses it, whatever else is true of that pod.
    /// </summary>
    private static ImmutableArray<PersistentVolumeClaim> Orphans(
        IReadOnlyList<Pod> pods, IReadOnlyList<PersistentVolumeClaim> claims, DateTimeOffset now, List<DateTimeOffset> looks)
    {
        var used = pods.Select(p => p.Metadata.Name).ToHashSet(StringComparer.Ordinal);
        var orphans = ImmutableArray.CreateBuilder<PersistentVolumeClaim>();
        foreach (var claim in claims)
        {
            if (PoolPods.IsClaimed(claim.Metadata) || claim.Metadata.DeletionTimestamp is not null || used.Contains(claim.Metadata.Name))
            {
                continue;
            }

            var at = (claim.Metadata.CreationTimestamp ?? now) + OrphanedAfter;
            if (now >= at)
            {
                orphans.Add(claim);
            }
            else
            {
                looks.Add(at);
            }
        }

        return orphans.ToImmutable();
    }

    private static DateTimeOffset? Earliest(List<DateTimeOffset> looks, DateTimeOffset now) =>
        looks.Where(l => l > now).Select(l => (DateTimeOffset?)l).Min();
}
