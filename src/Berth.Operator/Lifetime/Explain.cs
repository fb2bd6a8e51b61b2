using System.Globalization;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// Says in one sentence why a workspace runs and when it will stop. Pure, and without anything that changes while the workspace does not:
/// each change of the sentence costs a write.
/// </summary>
internal static class Explain
{
    /// <summary>The sentence for a stop that is announced.</summary>
    internal static string Announced(string reason, DateTimeOffset stopsAt, DateTimeOffset lastUse, TimeSpan? maxRun) =>
        reason == StopReasons.MaxRun
            ? $"Stops at {Time(stopsAt)}: it has then run for {Duration(maxRun ?? TimeSpan.Zero)} or more, the longest that is allowed."
            : $"Stops at {Time(stopsAt)} unless it is used or kept: nobody has used it since {Time(lastUse)}.";

    /// <summary>The sentence while no stop is announced.</summary>
    /// <param name="keeping">What keeps it although nobody uses it.</param>
    /// <param name="keeps">That is what decides now, rather than use.</param>
    /// <param name="unknown">Why use is not known, where that matters now; null: it is, or does not matter.</param>
    /// <param name="idle">Time without use after which it stops; null: never.</param>
    /// <param name="latest">When it stops in any case; null: never.</param>
    internal static string Running(Keeping keeping, bool keeps, string? unknown, TimeSpan? idle, DateTimeOffset? latest)
    {
        var sentence = keeps && keeping.Words is { } words ? $"{char.ToUpperInvariant(words[0])}{words[1..]}."
            : unknown is not null ? $"Runs because {unknown}: it is not stopped for lack of use."
            : idle is { } time ? $"In use: stops after {Duration(time)} without use."
            : "Runs until somebody stops it: it has no idle time-out.";
        return latest is { } end ? $"{sentence} Stops at {Time(end)} at the latest." : sentence;
    }

    internal static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>Such as "30 min" or "1 h 30 min".</summary>
    internal static string Duration(TimeSpan time)
    {
        List<string> parts = [];
        Add(time.Days, "d");
        Add(time.Hours, "h");
        Add(time.Minutes, "min");
        Add(time.Seconds, "s");
        return parts.Count == 0 ? "0 s" : string.Join(' ', parts.Take(2));

        void Add(int number, string unit)
        {
            if (number > 0)
            {
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{number} {unit}"));
            }
        }
    }
}
