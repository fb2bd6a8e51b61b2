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
        string token, IssuerSettings issuer, JwkSet keys, string nonce, string? accessToken, DateTimeOffset now, out JwtClaims? claims)
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
        error = error != TokenError.None ? error : Check(read!, issuer, nonce, accessToken, jws.Algorithm);
        claims = error == TokenError.None ? read : null;
        return error;
    }

    private static TokenError Check(JwtClaims claims, IssuerSettings issuer, string nonce, string? accessToken, string algorithm)
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

        if (payload.Text("sub", 255) is null || payload.TryGetProperty("events", out _))
        {
            return TokenError.Claims;
        }

        if (!FixedEquals(payload.Text("nonce") ?? "", nonce))
        {
            return TokenError.Nonce;
        }

        return AccessTokenHashFits(payload, accessToken, algorithm) ? TokenError.None : TokenError.Claims;
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
