using Berth.Resources;

namespace Berth.Operator;

/// <summary>Pauses between attempts to start a workspace whose pods fail.</summary>
public static class Backoff
{
    /// <summary>Before the second attempt.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(10);

    /// <summary>The longest; as long as a kubelet's.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Good health after which failures are forgotten.</summary>
    public static readonly TimeSpan ForgottenAfter = TimeSpan.FromMinutes(10);

    /// <summary>The pause after a number of failures in a row: 10 s, 20 s, 40 s … 5 min.</summary>
    public static TimeSpan After(int attempts) =>
        attempts <= 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(attempts - 1, 10)));

    /// <summary>
    /// The pause after a number of failures in a row, the last one with this reason. A workspace that went down with its node had no fault
    /// of its own, so its first new attempt comes at once.
    /// </summary>
    public static TimeSpan After(int attempts, string? reason) => After(reason == Reasons.NodeLost ? attempts - 1 : attempts);
}
