using System.Text;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>Access tokens as JWTs (RFC 9068), once their issuer is known.</summary>
internal static class AccessTokenVerifier
{
    /// <summary>Reads the issuer that a token claims, to pick the configured provider with. Nothing else of it is believed.</summary>
    public static string? UnverifiedIssuer(ParsedJws jws) => StrictJson.ParseObject(jws.Payload)?.Text("iss");

    /// <summary>Checks a parsed token against its provider.</summary>
    /// <param name="jws">The token.</param>
    /// <param name="issuer">Its provider.</param>
    /// <param name="keys">The provider's keys.</param>
    /// <param name="now">The time.</param>
    /// <param name="claims">What it says, when it is good.</param>
    /// <param name="signer">The key that made it; null when none of these did.</param>
    public static TokenError Verify(
        ParsedJws jws, IssuerSettings issuer, JwkSet keys, DateTimeOffset now, out JwtClaims? claims, out JwkKey? signer)
    {
        claims = null;
        signer = null;
        if (issuer.Audience is null)
        {
            return TokenError.Audience;
        }

        if (!issuer.Algorithms.Contains(jws.Algorithm))
        {
            return TokenError.Algorithm;
        }

        var error = JwsVerifier.Verify(jws, keys, out signer);
        if (error != TokenError.None)
        {
            return error;
        }

        if (!TypeFits(jws.Type, issuer))
        {
            return TokenError.Type;
        }

        error = JwtClaims.Read(jws.Payload, now, out var read);
        error = error != TokenError.None ? error : Check(read!, jws.Type, issuer, now);
        claims = error == TokenError.None ? read : null;
        return error;
    }

    private static bool TypeFits(string? type, IssuerSettings issuer)
    {
        if (IsUntyped(type))
        {
            return issuer.AcceptUntypedAccessTokens;
        }

        return type!.Equals("at+jwt", StringComparison.OrdinalIgnoreCase)
            || type.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsUntyped(string? type) => type is null || type.Equals("JWT", StringComparison.OrdinalIgnoreCase);

    private static TokenError Check(JwtClaims claims, string? type, IssuerSettings issuer, DateTimeOffset now)
    {
        if (claims.Issuer != issuer.Issuer)
        {
            return TokenError.Issuer;
        }

        if (!claims.Audiences.Contains(issuer.Audience!))
        {
            return TokenError.Audience;
        }

        // Without a type, the client as an audience is what tells an ID token.
        if (IsUntyped(type) && claims.Audiences.Contains(issuer.ClientId))
        {
            return TokenError.Type;
        }

        if (claims.ExpiresAt - (claims.IssuedAt ?? now) > issuer.MaximumTokenLifetime)
        {
            return TokenError.Time;
        }

        // Marks of an ID token (nonce and its hashes), a logout token (events) and of tokens bound to a key, which are no bearer tokens.
        string[] foreign = ["nonce", "at_hash", "c_hash", "s_hash", "events", "cnf"];
        return claims.Payload.Text("sub", 255) is null || Array.Exists(foreign, name => claims.Payload.TryGetProperty(name, out _))
            ? TokenError.Claims
            : TokenError.None;
    }
}
