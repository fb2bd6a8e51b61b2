using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kube.Client.Json;

/// <summary>
/// Deserialises objects, with apiVersion and kind filled in where the server leaves them out (items of lists of built-in kinds).
/// </summary>
internal static class ObjectReading
{
    /// <summary>The object in the bytes.</summary>
    /// <exception cref="JsonException">They are not an object of this kind.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> typeInfo)
        where T : class, IKubeResource<T>
    {
        var value = Once(json, typeInfo);
        if (!string.IsNullOrEmpty(value.ApiVersion) && !string.IsNullOrEmpty(value.Kind))
        {
            return value;
        }

        // Kinds that do not know their own names by heart need them in the JSON.
        var descriptor = T.Descriptor;
        var head = Encoding.UTF8.GetBytes($"{{\"apiVersion\":\"{descriptor.ApiVersion}\",\"kind\":\"{descriptor.Kind}\"");
        var rest = json.TrimStart(" \t\r\n"u8)[1..].TrimStart(" \t\r\n"u8);
        var buffer = new ArrayBufferWriter<byte>(head.Length + rest.Length + 1);
        buffer.Write(head);
        if (rest is not [(byte)'}', ..])
        {
            buffer.Write(","u8);
        }

        buffer.Write(rest);
        return Once(buffer.WrittenSpan, typeInfo);
    }

    private static T Once<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> typeInfo)
        where T : class, IKubeResource<T> =>
        JsonSerializer.Deserialize(json, typeInfo) ?? throw new JsonException($"null is not a {T.Descriptor.Kind}");
}
