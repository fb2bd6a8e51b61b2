using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Kube.Client.Json;

/// <summary>The serialisation of kinds with the texts of a client's <see cref="StringPool"/>, for what is read in bulk and kept.</summary>
internal sealed class PooledReading
{
    private readonly ConcurrentDictionary<JsonSerializerOptions, JsonSerializerOptions> _pooled = new();
    private readonly PooledStringConverter _converter = new(new StringPool());

    /// <summary>The kind's serialisation, made from its own context once.</summary>
    internal JsonTypeInfo<T> Of<T>()
        where T : class, IKubeResource<T> =>
        (JsonTypeInfo<T>)_pooled.GetOrAdd(T.JsonTypeInfo.Options, static (options, converter) =>
            new JsonSerializerOptions(options) { Converters = { converter } }, _converter).GetTypeInfo(typeof(T));

    private sealed class PooledStringConverter(StringPool pool) : JsonConverter<string?>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? Text(ref reader) : reader.GetString();

        public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Text(ref reader);

        public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) => writer.WriteStringValue(value);

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) =>
            writer.WritePropertyName(value ?? "");

        // The reader's own way for the rest: it decodes escapes, and refuses bytes that are no text.
        private string Text(ref Utf8JsonReader reader) =>
            (reader.ValueIsEscaped || reader.HasValueSequence ? null : pool.Get(reader.ValueSpan)) ?? reader.GetString()!;
    }
}
