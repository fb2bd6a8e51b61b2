using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Operator;

/// <summary>Short hashes of objects, to see that nothing changed.</summary>
internal static class Hashes
{
    private const int Length = 16;

    /// <summary>
    /// First 16 hexadecimal characters of SHA-256 of the object's JSON; the order of its fields is that of the type, so it is stable.
    /// </summary>
    internal static string Of<T>(T value, JsonTypeInfo<T> type) => Of(JsonSerializer.SerializeToUtf8Bytes(value, type));

    internal static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..Length];
}
