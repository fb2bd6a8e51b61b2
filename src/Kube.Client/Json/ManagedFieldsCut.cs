using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kube.Client.Json;

/// <summary>
/// Reads an object as if the server had not sent <c>metadata.managedFields</c>: a quarter of its bytes, which a cache has no use for.
/// </summary>
internal static class ManagedFieldsCut
{
    /// <summary>The object in the bytes, without its managed fields.</summary>
    /// <exception cref="JsonException">They are not an object of this kind.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> typeInfo)
        where T : class, IKubeResource<T>
    {
        var (start, end) = Find(json);
        if (start == end)
        {
            return ObjectReading.Read(json, typeInfo);
        }

        var rented = ArrayPool<byte>.Shared.Rent(json.Length);
        try
        {
            json[..start].CopyTo(rented);
            json[end..].CopyTo(rented.AsSpan(start));
            return ObjectReading.Read(rented.AsSpan(0, json.Length - (end - start)), typeInfo);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>
    /// Where the managed fields lie, with the comma that joins them to their neighbours; an empty range when there are none.
    /// </summary>
    public static (int Start, int End) Find(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return default;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isMetadata = reader.ValueTextEquals("metadata"u8);
            reader.Read();
            if (isMetadata && reader.TokenType == JsonTokenType.StartObject)
            {
                return FindInMetadata(ref reader);
            }

            reader.Skip();
        }

        return default;
    }

    private static (int Start, int End) FindInMetadata(ref Utf8JsonReader reader)
    {
        var before = (int)reader.BytesConsumed;
        var isFirst = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = (int)reader.TokenStartIndex;
            var found = reader.ValueTextEquals("managedFields"u8);
            reader.Read();
            reader.Skip();
            if (found && !isFirst)
            {
                return (before, (int)reader.BytesConsumed);
            }

            if (found)
            {
                // The first property has its comma behind it, if it has one.
                var end = (int)reader.BytesConsumed;
                return reader.Read() && reader.TokenType == JsonTokenType.PropertyName ? (name, (int)reader.TokenStartIndex) : (name, end);
            }

            before = (int)reader.BytesConsumed;
            isFirst = false;
        }

        return default;
    }
}
