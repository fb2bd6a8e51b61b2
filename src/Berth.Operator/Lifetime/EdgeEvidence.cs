using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>What the replicas of the edge together know of use: whether anything may be concluded from silence. Pure.</summary>
internal sealed class EdgeEvidence(ImmutableArray<EdgeReport> reports, DateTimeOffset now)
{
    // Less than this is the time that a Lease takes to reach the operator, not a difference of clocks.
    internal static readonly TimeSpan Latency = TimeSpan.FromSeconds(5);

    // A replica says each ten seconds that all is written; one that has not said so twice is at work on something.
    private static readonly TimeSpan LastWord = TimeSpan.FromSeconds(2 * EdgeLeases.RenewSeconds);

    // Times of looks are whole seconds, and at its very end a wait still lasts.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly ImmutableArray<EdgeReport> _alive =
        [.. reports.Where(r => !r.IsDead(now)).OrderBy(r => r.Name, StringComparer.Ordinal)];

    /// <summary>Why nothing may be concluded, in words; null when all replicas report.</summary>
    internal string? Missing() =>
        _alive.IsEmpty ? "no replica of the edge reports use"
        : _alive.FirstOrDefault(r => !r.IsFresh(now)) is { } silent ? $"replica {silent.Name} of the edge is silent"
        : null;

    /// <summary>
    /// All that is missing is the word of replicas that the operator only just met: as long as that may take, nothing is announced, and
    /// nothing that was is withdrawn. Without it each restart of the operator, and each new replica, would withdraw all stops.
    /// </summary>
    internal bool Awaits() => !_alive.IsEmpty && _alive.Any(r => r.IsAwaited(now)) && _alive.All(r => r.IsFresh(now) || r.IsAwaited(now));

    /// <summary>
    /// When the first of the words that <see cref="Awaits"/> waits for is missing for good, if it does not come; null: none is.
    /// </summary>
    internal DateTimeOffset? AwaitsUntil => _alive.Where(r => r.IsAwaited(now)).Select(r => r.MetAt + r.Duration + Moment).Min();

    /// <summary>
    /// Why use up to a time may still be unknown, in words; null when every living replica has written all of it and says so still.
    /// </summary>
    internal string? NotWritten(DateTimeOffset until) =>
        Missing() ?? (_alive.FirstOrDefault(r => !(r.WrittenUntil >= until && r.WrittenUntil >= now - LastWord)) is { } behind
            ? $"replica {behind.Name} of the edge has not yet written what it knows"
            : null);

    /// <summary>By how much a time written by some replica may have to be moved on to be one of the operator's clock.</summary>
    internal TimeSpan Behind => Largest(r => r.Behind);

    /// <summary>By how much it may have to be moved back.</summary>
    internal TimeSpan Ahead => Largest(r => -r.Behind);

    /// <summary>
    /// People may have used a workspace through a replica that then died without having written it: up to this time; null: none died.
    /// </summary>
    internal DateTimeOffset? LostUntil =>
        reports.Where(r => r.IsDead(now) && !r.EndedInOrder).Select(r => (DateTimeOffset?)Clocks.Shift(r.RenewedAt,
            EdgeReport.DeadAfter)).Max();

    private TimeSpan Largest(Func<EdgeReport, TimeSpan> by)
    {
        // The dead count here: what they wrote by their clocks is still there.
        var largest = reports.Where(r => r.Confirmed).Select(by).DefaultIfEmpty().Max();
        return largest < Latency ? TimeSpan.Zero : largest;
    }
}
