using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Berth.Accounts;

/// <summary>Reads claims of a JWT that nobody here has to believe: its life, for the vault's own cache.</summary>
internal static class JwtLife
{
    /// <summary>
    /// Life of a token from its receipt: exp less iat, both the provider's clock, so that ours does not matter; exp less our time where
    /// there is no iat. Null for anything that is not a JWT with a sensible exp.
    /// </summary>
    public static TimeSpan? Of(ReadOnlySpan<byte> token, DateTimeOffset now)
    {
        if (Payload(token) is not { } payload || Number(payload, "exp") is not { } expires)
        {
            return null;
        }

        var life = expires - (Number(payload, "iat") ?? now.ToUnixTimeSeconds());
        return life is >= 1 and <= 366 * 24 * 3600.0 ? TimeSpan.FromSeconds(life) : null;
    }

    /// <summary>A text claim, or null.</summary>
    public static string? Text(ReadOnlySpan<byte> token, string name) =>
        Payload(token) is { } payload && payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: > 0 and <= 255 } text
            ? text
            : null;

    private static JsonElement? Payload(ReadOnlySpan<byte> token)
    {
        var first = token.IndexOf((byte)'.');
        var length = first < 0 ? -1 : token[(first + 1)..].IndexOf((byte)'.');
        if (length <= 0)
        {
            return null;
        }

        try
        {
            var json = Base64Url.DecodeFromChars(Encoding.ASCII.GetString(token.Slice(first + 1, length)));
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static double? Number(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            && double.IsFinite(number)
            ? number
            : null;
}
