using Kube.Client;

namespace Berth.Operator;

/// <summary>What bears on one workspace's place under the ceilings, as its resources say it.</summary>
internal sealed record Claim
{
    public required ResourceKey Key { get; init; }

    /// <summary>Hash of the owner's identity.</summary>
    public required string Person { get; init; }

    /// <summary>When the workspace was created; breaks ties.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>Since when it waits, as its status says; null: it is new to the queue.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When it got its last place, as its status says; null: it never had one, or waits again.</summary>
    public DateTimeOffset? GrantedAt { get; init; }

    /// <summary>It should run and could: the template is resolved, and nobody froze it.</summary>
    public bool WantsRun { get; init; }

    /// <summary>It may have a volume: the template says what it would be, and it is not being deleted.</summary>
    public bool WantsVolume { get; init; }

    /// <summary>What its pod may use, also while it ends; null without a pod.</summary>
    public Amounts? Occupied { get; init; }

    /// <summary>
    /// Its status says that it was let run, and it still should: it keeps its place between two pods, and over a restart of the operator.
    /// </summary>
    public bool Admitted { get; init; }

    /// <summary>It was let exist before.</summary>
    public bool Established { get; init; }

    /// <summary>What it would use as it is specified now.</summary>
    public Amounts Demand { get; init; }

    /// <summary>Size of its volume in MiB; 0 without one.</summary>
    public long Volume { get; init; }
}

/// <summary>What a workspace waits for.</summary>
internal enum WaitsFor
{
    Nothing,

    /// <summary>For a place to exist, and so for its volume.</summary>
    Create,

    /// <summary>For a place to run.</summary>
    Run,
}

/// <summary>How a workspace stands under the ceilings.</summary>
internal sealed record Admission
{
    /// <summary>Nothing stands in its way: what holds where nobody set a ceiling.</summary>
    internal static Admission Open { get; } = new() { MayExist = true, MayRun = true };

    /// <summary>It may have a volume and all the rest.</summary>
    public bool MayExist { get; init; }

    /// <summary>It may have a pod.</summary>
    public bool MayRun { get; init; }

    /// <summary>Size in MiB up to which its volume may grow; null: as wished.</summary>
    public long? StorageLimit { get; init; }

    /// <summary>Why it may not grow, and what to do, in words.</summary>
    public string? StorageMessage { get; init; }

    public WaitsFor WaitsFor { get; init; }

    /// <summary>Place to show; null where no wait can help, because it asks for more than the ceiling is.</summary>
    public int? Position { get; init; }

    /// <summary>How many wait, to show.</summary>
    public int? Length { get; init; }

    public DateTimeOffset? Since { get; init; }

    /// <summary>Which ceiling, and what to do, in words.</summary>
    public string? Message { get; init; }
}
