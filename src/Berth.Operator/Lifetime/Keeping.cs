using System.Collections.Immutable;
using System.Globalization;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>What keeps a workspace running although nobody uses it: a person's "keep", and holds. Pure.</summary>
internal sealed record Keeping
{
    private const int NamesTold = 3;
    private const int MaxReason = 80;

    /// <summary>Nothing.</summary>
    internal static Keeping Nothing { get; } = new();

    /// <summary>Until when at the most; null: nothing keeps it.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The next time at which something that keeps it ends: then the words change.</summary>
    public DateTimeOffset? ChangesAt { get; init; }

    /// <summary>What, and until when, in words, such as "held by build-17 until 2030-01-01 13:00:00 UTC (compiling)".</summary>
    public string? Words { get; init; }

    /// <summary>What keeps a workspace now. What has ended counts no more, and nothing counts beyond the policy's ceiling.</summary>
    /// <param name="workspace">The workspace.</param>
    /// <param name="startedAt">When it was started; the ceiling is counted from there.</param>
    /// <param name="ceiling">The most that it can be kept.</param>
    /// <param name="now">The time now.</param>
    internal static Keeping Of(UserWorkspace workspace, DateTimeOffset startedAt, TimeSpan ceiling, DateTimeOffset now)
    {
        var lifetime = workspace.Spec.Lifetime;
        var last = startedAt + ceiling;
        var keepers = ImmutableArray.CreateBuilder<(DateTimeOffset Wished, string Words)>();
        if (lifetime?.KeepUntil is { } until)
        {
            keepers.Add((until, "kept on request"));
        }

        foreach (var hold in lifetime?.Holds ?? [])
        {
            keepers.Add((hold.Until, $"held by {hold.Name}{Why(hold.Reason)}"));
        }

        (DateTimeOffset Until, bool Cut, string Words)[] present =
        [
            .. keepers
                .Select(k => k.Wished > last ? (Until: last, Cut: true, k.Words) : (Until: k.Wished, Cut: false, k.Words))
                .Where(k => k.Until > now)
                .OrderByDescending(k => k.Until).ThenBy(k => k.Words, StringComparer.Ordinal),
        ];
        if (present.Length == 0)
        {
            return Nothing;
        }

        var told = present.Take(NamesTold).Select(k => k.Words).ToList();
        if (present.Length > NamesTold)
        {
            told.Add(string.Create(CultureInfo.InvariantCulture, $"{present.Length - NamesTold} more"));
        }

        var most = present[0];
        return new Keeping
        {
            Until = most.Until,
            ChangesAt = present[^1].Until,
            Words = $"{string.Join(", ", told)} until {Explain.Time(most.Until)}{(most.Cut ? ", the most that is allowed" : "")}",
        };
    }

    private static string Why(string? reason)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return "";
        }

        var line = reason.ReplaceLineEndings(" ").Trim();
        return $" ({(line.Length <= MaxReason ? line : string.Concat(line.AsSpan(0, MaxReason), "…"))})";
    }
}
