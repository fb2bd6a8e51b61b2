using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>What a pool should be.</summary>
internal sealed record PoolWish
{
    /// <summary>
    /// Time that a pod waits at most, where the template says nothing: images and secrets of yesterday are patched today.
    /// </summary>
    internal static readonly TimeSpan DefaultMaxAge = TimeSpan.FromDays(1);

    /// <summary>Pods made in a minute, where the template says nothing.</summary>
    internal const int DefaultRefillPerMinute = 10;

    /// <summary>Time in which a pod should answer, where the template says nothing; as for workspaces.</summary>
    internal static readonly TimeSpan DefaultProgress = TimeSpan.FromMinutes(10);

    /// <summary>How many should wait; 0 removes the pool.</summary>
    public required int Size { get; init; }

    /// <summary>Revision that pods are made from now.</summary>
    public string Revision { get; init; } = "";

    public TimeSpan MaxAge { get; init; } = DefaultMaxAge;

    public int RefillPerMinute { get; init; } = DefaultRefillPerMinute;

    public TimeSpan Progress { get; init; } = DefaultProgress;

    /// <summary>The wish of a template; none where it is gone, retired, or cannot be used without a person.</summary>
    /// <param name="template">The template, if it is there.</param>
    /// <param name="blueprint">What its pods are made from; null when none can be.</param>
    /// <param name="room">How many more workspaces may run in the namespace: more need not wait.</param>
    internal static PoolWish Of(WorkspaceTemplate? template, PoolBlueprint? blueprint, long room = long.MaxValue)
    {
        var spec = template?.Spec;
        return spec is { WarmPool: { Size: > 0 } pool, Retired: null } && template!.Metadata.DeletionTimestamp is null
            && blueprint is not null
            ? new PoolWish
            {
                Size = (int)Math.Clamp(room, 0, pool.Size.Value),
                Revision = blueprint.Revision,
                MaxAge = pool.MaxAgeSeconds is { } age ? TimeSpan.FromSeconds(age) : DefaultMaxAge,
                RefillPerMinute = pool.RefillPerMinute ?? DefaultRefillPerMinute,
                Progress = spec.Lifetime?.ProgressTimeoutSeconds is { } progress ? TimeSpan.FromSeconds(progress) : DefaultProgress,
            }
            : new PoolWish { Size = 0 };
    }
}

/// <summary>What a pool's controller remembers between looks; lost with the process, which costs at most a minute of restraint.</summary>
internal sealed record PoolMemory
{
    /// <summary>Since when it remembers: pods made earlier are counted by their own times.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When pods were made, within the last minute.</summary>
    public ImmutableArray<DateTimeOffset> Made { get; init; } = [];

    /// <summary>Failures in a row.</summary>
    public int Failures { get; init; }

    /// <summary>Nothing is made before this time; null: no failure is on record.</summary>
    public DateTimeOffset? NextTryAt { get; init; }

    /// <summary>One more failure, and the pause that follows.</summary>
    internal PoolMemory Failed(DateTimeOffset now) => this with { Failures = Failures + 1, NextTryAt = now + Backoff.After(Failures + 1) };
}
