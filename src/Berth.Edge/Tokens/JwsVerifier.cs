using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>Why a token is refused; for logs and metrics, never for the client.</summary>
internal enum TokenError
{
    /// <summary>It is accepted.</summary>
    None,

    /// <summary>Longer than 8 KiB.</summary>
    TooLong,

    /// <summary>Not three base64url parts with JSON objects in them, or a member given twice.</summary>
    Malformed,

    /// <summary>alg is missing or not on the list.</summary>
    Algorithm,

    /// <summary>crit, zip, b64 or another header that changes how the token is to be read.</summary>
    UnsupportedHeader,

    /// <summary>No key with that kid (a refetch may help).</summary>
    UnknownKey,

    /// <summary>The signature is wrong.</summary>
    Signature,

    /// <summary>typ does not fit the use.</summary>
    Type,

    /// <summary>iss is not the expected one.</summary>
    Issuer,

    /// <summary>aud or azp is not the expected one.</summary>
    Audience,

    /// <summary>exp, nbf or iat is missing, out of bounds or out of time.</summary>
    Time,

    /// <summary>nonce differs.</summary>
    Nonce,

    /// <summary>A claim is missing or of the wrong kind.</summary>
    Claims,

    /// <summary>Nothing is wrong with the token, but its person may not come in.</summary>
    PersonDisabled,

    /// <summary>The token is good, but the rules of its provider do not let its person in (<see cref="SignInRules"/>).</summary>
    PersonNotAllowed,

    /// <summary>No configured provider has this issuer.</summary>
    UnknownIssuer,

    /// <summary>The provider says that an opaque token is not good, or not any more.</summary>
    Inactive,

    /// <summary>There is no such personal access token, or none any more, or not for this place.</summary>
    NoSuchToken,

    /// <summary>Whether it is good cannot be found out now: 503, not 401.</summary>
    Unverifiable,
}

/// <summary>The parts of a compact JWS before its signature is checked. Nothing in it may be believed yet.</summary>
internal sealed record ParsedJws(string Algorithm, string? KeyId, string? Type, byte[] SigningInput, byte[] Signature, byte[] Payload);

/// <summary>Compact JWS (RFC 7515), the part of it that tokens need; after RFC 8725.</summary>
internal static class JwsVerifier
{
    /// <summary>Longest token that is looked at, in characters: four times a large real one.</summary>
    public const int MaximumLength = 8 * 1024;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>Takes a token apart and checks everything that needs no key.</summary>
    public static TokenError Parse(string token, ImmutableHashSet<string> algorithms, out ParsedJws? parsed)
    {
        parsed = null;
        if (token.Length > MaximumLength)
        {
            return TokenError.TooLong;
        }

        var first = token.IndexOf('.');
        var second = first < 0 ? -1 : token.IndexOf('.', first + 1);
        if (second < 0 || token.IndexOf('.', second + 1) >= 0 || token.AsSpan().IndexOfAnyExcept(TokenCharacters) >= 0)
        {
            return TokenError.Malformed;
        }

        if (StrictBase64Url.Decode(token.AsSpan(0, first)) is not { } headerBytes || StrictJson.ParseObject(headerBytes) is not { } header
            || StrictBase64Url.Decode(token.AsSpan(first + 1, second - first - 1)) is not { } payload
            || StrictBase64Url.Decode(token.AsSpan(second + 1)) is not { } signature)
        {
            return TokenError.Malformed;
        }

        // jwk, jku, x5c and x5u are not looked at: keys come from the provider's JWK set only. crit names extensions that must be
        // understood: none is.
        if (header.TryGetProperty("crit", out _) || header.TryGetProperty("zip", out _) || header.TryGetProperty("b64", out _))
        {
            return TokenError.UnsupportedHeader;
        }

        if (header.Text("alg") is not { } algorithm || !algorithms.Contains(algorithm))
        {
            return TokenError.Algorithm;
        }

        var keyId = header.Text("kid", 256);
        var type = header.Text("typ", 256);
        if ((header.TryGetProperty("kid", out _) && keyId is null) || (header.TryGetProperty("typ", out _) && type is null))
        {
            return TokenError.Malformed;
        }

        parsed = new ParsedJws(algorithm, keyId, type, Encoding.ASCII.GetBytes(token, 0, second), signature, payload);
        return TokenError.None;
    }

    /// <summary>Checks the signature against the keys that may have made it.</summary>
    public static TokenError Verify(ParsedJws jws, JwkSet keys) => Verify(jws, keys, out _);

    /// <summary>The same, and says which key made it.</summary>
    public static TokenError Verify(ParsedJws jws, JwkSet keys, out JwkKey? signer)
    {
        var any = false;
        signer = null;
        foreach (var key in keys.Candidates(jws.Algorithm, jws.KeyId))
        {
            any = true;
            if (key.Verify(jws.Algorithm, jws.SigningInput, jws.Signature))
            {
                signer = key;
                return TokenError.None;
            }
        }

        return any ? TokenError.Signature : TokenError.UnknownKey;
    }
}
