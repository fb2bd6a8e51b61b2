namespace Berth.Operator;

/// <summary>
/// What one replica of the edge says of itself in its Lease, with its times moved to the operator's clock: clocks of nodes differ, and a
/// stop must not depend on whose is right.
/// </summary>
internal sealed record EdgeReport
{
    /// <summary>
    /// Silence after which a replica is dead, and its connections with it: a process that cannot renew for this long is not running, or
    /// cut off.
    /// </summary>
    internal static readonly TimeSpan DeadAfter = TimeSpan.FromMinutes(5);

    /// <summary>The most that the clocks of two nodes are taken to differ where nothing is known of them yet.</summary>
    internal static readonly TimeSpan ToleratedSkew = TimeSpan.FromMinutes(1);

    /// <summary>Name of the Lease.</summary>
    public required string Name { get; init; }

    /// <summary>When it was renewed last, by the operator's clock.</summary>
    public required DateTimeOffset RenewedAt { get; init; }

    /// <summary>How long a renewal is good for.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>All use before this time, by the operator's clock, is written to the workspaces; null: it does not say.</summary>
    public DateTimeOffset? WrittenUntil { get; init; }

    /// <summary>How far its clock is behind the operator's; negative: ahead.</summary>
    public TimeSpan Behind { get; init; }

    /// <summary>The operator saw it being renewed. Until then <see cref="RenewedAt"/> is what the replica's own clock said.</summary>
    public bool Confirmed { get; init; }

    /// <summary>When the operator met its Lease, by the operator's clock. Null: that does not matter any more.</summary>
    public DateTimeOffset? MetAt { get; init; }

    /// <summary>Its Lease is deleted; it is kept for its clock, since what it wrote is still there.</summary>
    public bool Gone { get; init; }

    /// <summary>It had spoken until its Lease was deleted: it took it away itself, with everything written.</summary>
    public bool EndedInOrder { get; init; }

    internal bool IsDead(DateTimeOffset now) => Gone || now - RenewedAt > (Confirmed ? DeadAfter : DeadAfter + ToleratedSkew);

    /// <summary>The operator has not yet followed the Lease for as long as a renewal may take: its silence says nothing of it.</summary>
    internal bool IsAwaited(DateTimeOffset now) => !Confirmed && now - MetAt <= Duration;

    internal bool IsFresh(DateTimeOffset now) => Confirmed && now - RenewedAt <= Duration;
}
