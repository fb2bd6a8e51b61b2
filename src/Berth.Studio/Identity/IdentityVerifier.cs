using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Berth.Studio.Identity;

/// <summary>
/// Checks the compact JWS (RFC 7515) of the identity header. The algorithm is pinned to ES256, never taken from the token; keys come only
/// from the configured source, never from the token.
/// </summary>
/// <remarks>
/// Order: size and shape, header, key, signature, and only then the claims: nothing of an unsigned payload is looked at.
/// </remarks>
internal sealed class IdentityVerifier(string issuer, string audience, IKeySource keys, TimeProvider time)
{
    /// <summary>The header that carries the identity.</summary>
    public const string HeaderName = "X-Workspace-Identity";

    /// <summary>The token's type, so that a token of another purpose signed by the same key is refused (RFC 8725, 3.11).</summary>
    public const string TokenType = "workspace-identity+jwt";

    /// <summary>An identity with long names is about 1 KiB; all headers of a request together may have 32 KiB.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>How far the clocks of the issuer and of this machine may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Who the token says it is.</summary>
    /// <exception cref="IdentityException">It is not valid; the message says why.</exception>
    /// <exception cref="IdentityKeysUnavailableException">It cannot be checked now.</exception>
    public async ValueTask<WorkspaceIdentity> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > MaxLength)
        {
            throw new IdentityException($"It is longer than {MaxLength} characters.");
        }

        var first = token.IndexOf('.', StringComparison.Ordinal);
        var last = token.LastIndexOf('.');
        if (first <= 0 || last == first || token.AsSpan(first + 1, last - first - 1).Contains('.'))
        {
            throw new IdentityException("It is not a signed token of three parts.");
        }

        var keyId = ReadHeader(Decode(token.AsSpan(0, first)));
        var signature = Decode(token.AsSpan(last + 1));
        var key = await keys.FindAsync(keyId, cancellationToken)
            ?? throw new IdentityException("It is signed by a key that its issuer does not publish.");
        using (var algorithm = ECDsa.Create(key))
        {
            var signed = Encoding.ASCII.GetBytes(token[..last]);
            if (signature.Length != 64
                || !algorithm.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))
            {
                throw new IdentityException("Its signature is not valid.");
            }
        }

        return ReadClaims(Decode(token.AsSpan(first + 1, last - first - 1)));
    }

    private static byte[] Decode(ReadOnlySpan<char> part)
    {
        // IsValid lets padding and white space pass, which a compact JWS must not have.
        if (part.IsEmpty || part.ContainsAny("= \t\r\n") || !Base64Url.IsValid(part))
        {
            throw new IdentityException("One of its parts is not base64url.");
        }

        return Base64Url.DecodeFromChars(part);
    }

    private static string ReadHeader(byte[] json)
    {
        using var document = ParseObject(json);
        var header = document.RootElement;
        if (Text(header, "alg") != "ES256")
        {
            throw new IdentityException("Its algorithm is not ES256.");
        }

        if (!string.Equals(Text(header, "typ"), TokenType, StringComparison.OrdinalIgnoreCase))
        {
            throw new IdentityException($"Its type is not {TokenType}.");
        }

        if (header.TryGetProperty("crit", out _) || header.TryGetProperty("b64", out _))
        {
            throw new IdentityException("It demands an extension that is not supported.");
        }

        return Text(header, "kid") is { Length: > 0 and <= 256 } keyId
            ? keyId
            : throw new IdentityException("It does not name the key that signed it.");
    }

    private WorkspaceIdentity ReadClaims(byte[] json)
    {
        using var document = ParseObject(json);
        var claims = document.RootElement;
        if (Text(claims, "iss") != issuer)
        {
            throw new IdentityException("It was issued by somebody else.");
        }

        if (!claims.TryGetProperty("aud", out var aud) || !Names(aud))
        {
            throw new IdentityException("It was issued for another workspace.");
        }

        var now = time.GetUtcNow();
        if (Instant(claims, "exp") + Skew <= now)
        {
            throw new IdentityException("It has expired.");
        }

        if (Instant(claims, "nbf") - Skew > now)
        {
            throw new IdentityException("It is not valid yet.");
        }

        return new WorkspaceIdentity
        {
            Subject = Required(claims, "sub"),
            ProviderIssuer = Required(claims, "oidc_iss"),
            Role = Required(claims, "role"),
            Email = Text(claims, "email"),
            Name = Text(claims, "name"),
            Workspace = Text(claims, "workspace") is { Length: > 0 } workspace ? workspace : null,
            Origin = Text(claims, "origin") is { Length: > 0 } origin ? origin : null,
        };
    }

    private bool Names(JsonElement aud) => aud.ValueKind switch
    {
        JsonValueKind.String => Text(aud) == audience,
        JsonValueKind.Array => aud.EnumerateArray().Any(a => Text(a) == audience),
        _ => false,
    };

    private static DateTimeOffset Instant(JsonElement claims, string name)
    {
        // NumericDate (RFC 7519): seconds, fractions allowed. The range keeps the arithmetic with the skew from overflowing.
        if (!claims.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Number
            || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and < 253_000_000_000))
        {
            throw new IdentityException($"Its claim {name} is missing or not a time.");
        }

        return DateTimeOffset.UnixEpoch.AddSeconds(seconds);
    }

    private static string Required(JsonElement claims, string name) =>
        Text(claims, name) is { Length: > 0 } value ? value : throw new IdentityException($"Its claim {name} is missing.");

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? Text(value) : null;

    private static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate: JSON allows it, a string of Unicode text does not.
            return null;
        }
    }

    private static JsonDocument ParseObject(byte[] json)
    {
        try
        {
            var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
        }
        catch (JsonException)
        {
            // Said below in our words: a parser's message about a stranger's token helps nobody.
        }

        throw new IdentityException("One of its parts is not a JSON object.");
    }
}
