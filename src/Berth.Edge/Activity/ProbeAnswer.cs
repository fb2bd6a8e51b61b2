using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Berth.Edge;

/// <summary>Reads what an application answers when it is asked for its last use; a pure function, made for answers of any kind.</summary>
internal static partial class ProbeAnswer
{
    // 1e11 ms is the year 1973: what is smaller is a count of things that are busy, not a time.
    private const double FirstTime = 1e11;
    private const double LastTime = 2.5e14;

    /// <summary>Finds the member and takes it for a time, or for a sign of being busy.</summary>
    /// <param name="json">The body.</param>
    /// <param name="field">Names separated by dots.</param>
    /// <param name="now">When it was asked: "busy" is a use at this time, and no use is later.</param>
    /// <param name="lastUse">The last use; null when the answer is that there was none.</param>
    /// <param name="problem">Why the answer is of no use.</param>
    /// <returns>Whether the answer can be used.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> json, string field, DateTimeOffset now, out DateTimeOffset? lastUse,
        out string? problem)
    {
        (lastUse, problem) = (null, null);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            var value = document.RootElement;
            foreach (var name in field.Split('.'))
            {
                if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
                {
                    problem = "the answer has no such member";
                    return false;
                }
            }

            problem = Read(value, now, out lastUse);
            return problem is null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second: names that are not valid Unicode.
            problem = "the answer is not JSON";
            return false;
        }
    }

    private static string? Read(JsonElement value, DateTimeOffset now, out DateTimeOffset? lastUse)
    {
        lastUse = null;
        switch (value.ValueKind)
        {
            case JsonValueKind.True:
                lastUse = now;
                return null;
            case JsonValueKind.False or JsonValueKind.Null:
                return null;
            case JsonValueKind.Number when value.TryGetDouble(out var number):
                lastUse = number <= 0 ? null
                    : number is < FirstTime or > LastTime ? now
                    : Earlier(DateTimeOffset.FromUnixTimeMilliseconds((long)number), now);
                return null;
            case JsonValueKind.String when value.GetString() is { Length: <= 64 } text && Rfc3339().IsMatch(text)
                && DateTimeOffset.TryParse(Shorten(text), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time):
                lastUse = Earlier(time, now);
                return null;
            default:
                return "the member is neither a time (RFC 3339, or milliseconds since 1970) nor true, false or a number";
        }
    }

    private static DateTimeOffset Earlier(DateTimeOffset time, DateTimeOffset now) => time < now ? time.ToUniversalTime() : now;

    // Go writes nine decimals, .NET reads seven.
    private static string Shorten(string text) => Decimals().Replace(text, "$1");

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339();

    [GeneratedRegex(@"(\.\d{7})\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Decimals();
}
