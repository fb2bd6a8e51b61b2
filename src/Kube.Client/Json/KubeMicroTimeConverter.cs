using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kube.Client.Json;

/// <summary>
/// The API's <c>MicroTime</c> (Leases, Events): RFC 3339, UTC, exactly six decimals (<c>2026-01-02T03:04:05.000006Z</c>).
/// </summary>
/// <remarks>Servers before 1.27 refuse a MicroTime with any other number of decimals, so all six are always written.</remarks>
public sealed class KubeMicroTimeConverter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        KubeTimeConverter.ReadTime(ref reader);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Span<char> text = stackalloc char[27];
        value.UtcDateTime.TryFormat(text, out _, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        writer.WriteStringValue(text);
    }
}
