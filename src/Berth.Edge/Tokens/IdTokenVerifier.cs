using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>ID token checks of OpenID Connect Core 3.1.3.7.</summary>
internal static class IdTokenVerifier
{
    /// <summary>Checks an ID token whose keys are at hand.</summary>
    /// <param name="token">Compact JWS.</param>
    /// <param name="issuer">Provider it came from.</param>
    /// <param name="keys">The provider's keys.</param>
    /// <param name="nonce">Nonce of the flow.</param>
    /// <param name="accessToken">Access token of the same response, for at_hash; may be null.</param>
    /// <param name="now">Time.</param>
    /// <param name="claims">The claims when accepted.</param>
    public static TokenError Verify(
        string token, IssuerSettings issuer, JwkSet keys, string nonce, string? accessToken, DateTimeOffset now, out JwtClaims? claims) =>
        Verify(token, issuer, keys, now, (read, algorithm) => Check(read, issuer, nonce, accessToken, algorithm), out claims);

    /// <summary>
    /// Checks an ID token that a refresh gave (OpenID Connect Core 12.2): the same person, and of the nonce what is there. Its access token
    /// is not looked at, and so neither is at_hash.
    /// </summary>
    /// <param name="token">Compact JWS.</param>
    /// <param name="issuer">Provider it came from.</param>
    /// <param name="keys">The provider's keys.</param>
    /// <param name="session">The session that it is to renew.</param>
    /// <param name="received">When the provider gave it.</param>
    /// <param name="claims">The claims when accepted.</param>
    public static TokenError VerifyRenewed(
        string token, IssuerSettings issuer, JwkSet keys, EdgeSession session, DateTimeOffset received, out JwtClaims? claims) =>
        Verify(token, issuer, keys, received, (read, _) => CheckRenewed(read, issuer, session), out claims);

    /// <summary>What is kept of a nonce beside a session: enough to know it again, in 22 characters.</summary>
    public static string HashOfNonce(string nonce) => StrictBase64Url.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(nonce)).AsSpan(0, 16));

    private static TokenError Verify(
        string token, IssuerSettings issuer, JwkSet keys, DateTimeOffset now, Func<JwtClaims, string, TokenError> check,
        out JwtClaims? claims)
    {
        claims = null;
        var error = JwsVerifier.Parse(token, issuer.Algorithms, out var jws);
        error = error != TokenError.None ? error : JwsVerifier.Verify(jws!, keys);
        if (error != TokenError.None)
        {
            return error;
        }

        // An ID token is typed JWT or not at all; an access token, a logout token or one of ours is typed as what it is.
        if (jws!.Type is not null && !jws.Type.Equals("JWT", StringComparison.OrdinalIgnoreCase))
        {
            return TokenError.Type;
        }

        error = JwtClaims.Read(jws.Payload, now, out var read);
        error = error != TokenError.None ? error : check(read!, jws.Algorithm);
        claims = error == TokenError.None ? read : null;
        return error;
    }

    private static TokenError Check(JwtClaims claims, IssuerSettings issuer, string nonce, string? accessToken, string algorithm)
    {
        var error = CheckCommon(claims, issuer);
        if (error != TokenError.None)
        {
            return error;
        }

        if (!FixedEquals(claims.Payload.Text("nonce") ?? "", nonce))
        {
            return TokenError.Nonce;
        }

        return AccessTokenHashFits(claims.Payload, accessToken, algorithm) ? TokenError.None : TokenError.Claims;
    }

    private static TokenError CheckRenewed(JwtClaims claims, IssuerSettings issuer, EdgeSession session)
    {
        var error = CheckCommon(claims, issuer);
        if (error != TokenError.None)
        {
            return error;
        }

        if (claims.Payload.TryGetProperty("nonce", out _)
            && !FixedEquals(HashOfNonce(claims.Payload.Text("nonce") ?? ""), session.NonceHash ?? ""))
        {
            return TokenError.Nonce;
        }

        return claims.Payload.Text("sub", 255) == session.Subject ? TokenError.None : TokenError.Claims;
    }

    private static TokenError CheckCommon(JwtClaims claims, IssuerSettings issuer)
    {
        var payload = claims.Payload;
        if (claims.Issuer != issuer.Issuer)
        {
            return TokenError.Issuer;
        }

        var authorisedParty = payload.Text("azp");
        if (!claims.Audiences.Contains(issuer.ClientId)
            || (claims.Audiences.Count > 1 && authorisedParty is null)
            || (payload.TryGetProperty("azp", out _) && authorisedParty != issuer.ClientId))
        {
            return TokenError.Audience;
        }

        if (claims.IssuedAt is null)
        {
            return TokenError.Time;
        }

        return payload.Text("sub", 255) is null || payload.TryGetProperty("events", out _) ? TokenError.Claims : TokenError.None;
    }

    private static bool AccessTokenHashFits(JsonElement payload, string? accessToken, string algorithm)
    {
        if (!payload.TryGetProperty("at_hash", out _))
        {
            return true;
        }

        if (accessToken is null || payload.Text("at_hash") is not { } expected)
        {
            return false;
        }

        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var hash = algorithm == JwsAlgorithms.Es384 ? SHA384.HashData(bytes) : SHA256.HashData(bytes);
        return FixedEquals(expected, StrictBase64Url.Encode(hash.AsSpan(0, hash.Length / 2)));
    }

    private static bool FixedEquals(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
