using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kube.Client.Json;

/// <summary>
/// The API's <c>Time</c>: RFC 3339, UTC, whole seconds (<c>2026-01-02T03:04:05Z</c>). Reads any RFC 3339 time, writes whole seconds (cut,
/// not rounded).
/// </summary>
public sealed class KubeTimeConverter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ReadTime(ref reader);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Span<char> text = stackalloc char[20];
        value.UtcDateTime.TryFormat(text, out _, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        writer.WriteStringValue(text);
    }

    internal static DateTimeOffset ReadTime(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException($"A time must be an RFC 3339 string, not a {reader.TokenType}.");
        }

        // The fast path understands up to seven decimals; Go writes up to nine.
        return reader.TryGetDateTimeOffset(out var value) ? value.ToUniversalTime() : ReadAnyPrecision(reader.GetString()!);
    }

    private static DateTimeOffset ReadAnyPrecision(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var end = dot + 1;
        while (dot > 0 && end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        var shortened = dot > 0 && end - dot - 1 > 7 ? string.Concat(text.AsSpan(0, dot + 8), text.AsSpan(end)) : text;
        return DateTimeOffset.TryParse(shortened, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var value)
            ? value.ToUniversalTime()
            : throw new JsonException("A time must be an RFC 3339 string, such as 2026-01-02T03:04:05Z.");
    }
}
