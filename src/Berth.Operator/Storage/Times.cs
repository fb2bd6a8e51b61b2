using System.Globalization;

namespace Berth.Operator;

/// <summary>Times in annotations and names: RFC 3339 with whole seconds, UTC, as the API itself writes them.</summary>
internal static class Times
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    internal static string Text(DateTimeOffset time) => time.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>The time of a text; null when it is none. What people write by hand may have an offset or parts of a second.</summary>
    internal static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : null;

    /// <summary>Without parts of a second, so that what is compared later survives the way over the wire.</summary>
    internal static DateTimeOffset Seconds(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
