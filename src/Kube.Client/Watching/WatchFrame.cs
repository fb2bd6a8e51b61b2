using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Http;
using Kube.Client.Json;
using Kube.Client.Models;

namespace Kube.Client.Watching;

/// <summary>
/// Reads one line of a watch: finds the type and where the object lies, then deserialises the object once from its bytes.
/// </summary>
internal static class WatchFrame
{
    internal const string InitialEventsEnd = "k8s.io/initial-events-end";

    /// <summary>The event, or null with <paramref name="unknown"/> set when its type is not known.</summary>
    /// <exception cref="KubeException">The frame is an ERROR event, or not a watch frame at all.</exception>
    public static WatchEvent<T>? Parse<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> typeInfo, bool omitManagedFields, out string? unknown)
        where T : class, IKubeResource<T>
    {
        unknown = null;
        try
        {
            var (type, start, length) = Scan(line);
            var body = line.Slice(start, length);
            switch (type)
            {
                case "ADDED":
                    return new WatchEvent<T>.Added(Read(body, typeInfo, omitManagedFields));
                case "MODIFIED":
                    return new WatchEvent<T>.Modified(Read(body, typeInfo, omitManagedFields));
                case "DELETED":
                    return new WatchEvent<T>.Deleted(Read(body, typeInfo, omitManagedFields));
                case "BOOKMARK":
                    return Bookmark<T>(body);
                case "ERROR":
                    throw new KubeException(
                        StatusReading.Parse(body)
                            ?? new Status
                            {
                                Code = 500,
                                Reason = "InternalError",
                                Message = "The watch sent an ERROR event without a Status object.",
                            }
                    );
                default:
                    unknown = type;
                    return null;
            }
        }
        catch (JsonException e)
        {
            throw new KubeException($"The watch sent something that is not a watch event of {T.Descriptor.Kind}: {e.Message}", e);
        }
    }

    private static T Read<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> typeInfo, bool omitManagedFields)
        where T : class, IKubeResource<T> => omitManagedFields ? ManagedFieldsCut.Read(body, typeInfo) : ObjectReading.Read(body, typeInfo);

    private static WatchEvent<T> Bookmark<T>(ReadOnlySpan<byte> body)
        where T : class, IKubeResource<T>
    {
        var meta = JsonSerializer.Deserialize(body, WireJson.Default.MetadataOnly)?.Metadata;
        var version = meta?.ResourceVersion ?? throw new JsonException("a bookmark has no metadata.resourceVersion");
        var end = meta.Annotations is { } annotations && annotations.TryGetValue(InitialEventsEnd, out var value) && value == "true";
        return new WatchEvent<T>.Bookmark(version, end);
    }

    private static (string Type, int Start, int Length) Scan(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        string? type = null;
        var start = -1;
        var length = 0;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("a frame must be a JSON object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                type = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new JsonException("the type must be a string");
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                reader.Read();
                start = (int)reader.TokenStartIndex;
                reader.Skip();
                length = (int)reader.BytesConsumed - start;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return type is not null && start >= 0 ? (type, start, length) : throw new JsonException("a frame must have type and object");
    }
}
