namespace Berth.Operator;

/// <summary>Arithmetic on times that others wrote: a hostile one must not end in an exception.</summary>
internal static class Clocks
{
    /// <summary>A time moved by a span, at the ends of the calendar at the most.</summary>
    internal static DateTimeOffset Shift(DateTimeOffset time, TimeSpan by) =>
        by > DateTimeOffset.MaxValue - time ? DateTimeOffset.MaxValue
        : by < DateTimeOffset.MinValue - time ? DateTimeOffset.MinValue
        : time + by;

    /// <summary>The next whole second: the wire has no parts, and a promise of time must not lose any.</summary>
    internal static DateTimeOffset Ceiling(DateTimeOffset time) => Times.Seconds(time + TimeSpan.FromTicks(TimeSpan.TicksPerSecond - 1));
}
