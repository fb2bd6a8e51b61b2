using Kube.Client;

namespace Berth.Operator;

/// <summary>
/// Who comes first where a namespace's ceiling is reached. Round by round: a person's first workspace is in the first round, their next one
/// in the second, counting those that run, and those that got their turn while this one waited; within a round the earlier request comes
/// first.
/// </summary>
/// <remarks>
/// A round is an hour: each workspace of the person that counts before this one makes it count as asked for an hour later. So who asks for
/// many at once does not shut out the others, and still nobody can be passed for ever: only by requests of the hours that it is late
/// itself. The order follows from the resources alone, and so does not change when the operator is started anew. When somebody before
/// leaves or gets their place, nobody's place becomes worse.
/// </remarks>
internal static class AdmissionOrder
{
    internal static readonly TimeSpan Round = TimeSpan.FromHours(1);

    /// <summary>The time that counts in place of the time of the request.</summary>
    /// <param name="since">When it was asked for.</param>
    /// <param name="ahead">Other workspaces of the same person in this namespace that run, wait since before, or got their turn
    /// since.</param>
    internal static long Key(DateTimeOffset since, int ahead) => since.UtcTicks + (ahead * Round.Ticks);

    /// <summary>Puts those who wait in order; the rule itself, which the queue keeps step by step.</summary>
    internal static IReadOnlyList<ResourceKey> Of(
        IEnumerable<(ResourceKey Key, string Person, DateTimeOffset Since)> waiting, Func<string, DateTimeOffset, int> servedOrRunning) =>
        [.. waiting
            .GroupBy(w => w.Person, StringComparer.Ordinal)
            .SelectMany(g => g.OrderBy(w => w.Since).ThenBy(w => w.Key.Name, StringComparer.Ordinal)
                .Select((w, i) => (w.Key, w.Since, Order: Key(w.Since, servedOrRunning(g.Key, w.Since) + i))))
            .OrderBy(w => w.Order).ThenBy(w => w.Since).ThenBy(w => w.Key.Name, StringComparer.Ordinal)
            .Select(w => w.Key)];

    /// <summary>Up to this, places are shown as they are.</summary>
    internal const int Exact = 20;

    /// <summary>
    /// Places as they are shown: exact up to 20, then rounded up to tens, from 100 to hundreds, from 1000 to thousands. A queue of
    /// thousands that moves by one then changes some fifty statuses, not all.
    /// </summary>
    internal static int Shown(int position)
    {
        var step = position <= Exact ? 1 : position <= 100 ? 10 : position <= 1000 ? 100 : 1000;
        return (position + step - 1) / step * step;
    }
}
