using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Berth.Studio.Identity;

/// <summary>Reads the ES256 verification keys out of a JSON Web Key Set (RFC 7517); keys of other kinds are passed over.</summary>
internal static class JsonWebKeys
{
    /// <summary>A key set is a few hundred bytes a key; more than this is not a key set.</summary>
    public const int MaxBytes = 64 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Key id to public key.</summary>
    /// <exception cref="FormatException">The text is not a key set.</exception>
    public static IReadOnlyDictionary<string, ECParameters> Parse(ReadOnlyMemory<byte> json)
    {
        var keys = new Dictionary<string, ECParameters>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array)
            {
                throw new FormatException("a JSON Web Key Set is an object with the array \"keys\"");
            }

            foreach (var key in list.EnumerateArray())
            {
                if (TryRead(key, out var id, out var parameters))
                {
                    keys[id] = parameters;
                }
            }
        }
        catch (JsonException e)
        {
            throw new FormatException("it is not valid JSON: " + e.Message, e);
        }

        return keys;
    }

    private static bool TryRead(JsonElement key, out string id, out ECParameters parameters)
    {
        parameters = default;
        id = Text(key, "kid") ?? "";
        if (id.Length == 0 || Text(key, "kty") != "EC" || Text(key, "crv") != "P-256"
            || Text(key, "alg") is not (null or "ES256") || Text(key, "use") is not (null or "sig")
            || !TryCoordinate(Text(key, "x"), out var x) || !TryCoordinate(Text(key, "y"), out var y))
        {
            return false;
        }

        parameters = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } };
        try
        {
            // A point that is not on the curve is refused here, once, and not at each request.
            using var _ = ECDsa.Create(parameters);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool TryCoordinate(string? text, out byte[] value)
    {
        value = [];
        if (text is not { Length: 43 } || !Base64Url.IsValid(text))
        {
            return false;
        }

        value = Base64Url.DecodeFromChars(text);
        return value.Length == 32;
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
