namespace Berth.Edge;

/// <summary>When a circuit opens, and for how long.</summary>
/// <param name="Failures">Failures in a row that open it; 0 never does.</param>
/// <param name="OpenFor">How long none passes, and how long a probe may take to tell.</param>
internal readonly record struct CircuitPolicy(int Failures, TimeSpan OpenFor);

/// <summary>The circuit breaker of one address as a pure state machine: each event gives the next state.</summary>
/// <remarks>
/// <code>
///              failed, n-th in a row                  the time is over: one passes as probe
///   Closed ─────────────────────────► Open ──────────────────────────────────────► HalfOpen
///     ▲                                 ▲                                              │  │
///     │                                 └───────────────────── failed ─────────────────┘  │
///     └────────────────────────────────────────────────────── connected ─────────────────┘
/// </code>
/// A probe of which nothing is heard (its client left) is not waited for longer than the circuit stays open: then the next one passes.
/// Failures count as in a row while less than a minute lies between them.
/// </remarks>
/// <param name="Failures">Failures in a row; 0 in the state everything begins in.</param>
/// <param name="FailedAt">The last of them.</param>
/// <param name="BlockedUntil">None passes before this; null while it is closed.</param>
internal readonly record struct Circuit(int Failures, DateTimeOffset FailedAt, DateTimeOffset? BlockedUntil)
{
    /// <summary>Failures that lie further apart are not in a row.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    /// <summary>Whether an attempt may be made now, and the state after it was let through.</summary>
    public (bool Passes, Circuit Next) Ask(CircuitPolicy policy, DateTimeOffset now) => BlockedUntil switch
    {
        null => (true, this),
        { } until when now < until => (false, this),
        _ => (true, this with { BlockedUntil = now + policy.OpenFor }),
    };

    /// <summary>An attempt failed.</summary>
    public Circuit Failed(CircuitPolicy policy, DateTimeOffset now)
    {
        var failures = now - FailedAt < Memory || BlockedUntil is not null ? Failures + 1 : 1;
        return policy.Failures > 0 && failures >= policy.Failures
            ? new Circuit(failures, now, now + policy.OpenFor)
            : new Circuit(failures, now, null);
    }

    /// <summary>Whether nothing is lost when it is forgotten.</summary>
    public bool IsForgettable(DateTimeOffset now) => now - FailedAt >= Memory && !(now < BlockedUntil);
}
