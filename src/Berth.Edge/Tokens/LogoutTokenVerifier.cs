using System.Text.Json;

namespace Berth.Edge;

/// <summary>What a provider's logout token ends.</summary>
/// <param name="Subject">The person; null when only a session is named.</param>
/// <param name="ProviderSessionId">The provider's session; null for all of the person's.</param>
/// <param name="Id">jti: the token counts once.</param>
internal sealed record LogoutToken(string? Subject, string? ProviderSessionId, string Id);

/// <summary>Logout tokens (OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6).</summary>
internal static class LogoutTokenVerifier
{
    /// <summary>Member of <c>events</c> that makes a token a logout token.</summary>
    public const string Event = "http://schemas.openid.net/event/backchannel-logout";

    /// <summary>
    /// Longest time from iat to exp, and so the age at which one is refused at the latest. The specification asks for two minutes at most;
    /// providers that mean well give more, and a used token is remembered for as long.
    /// </summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(10);

    /// <summary>Checks a parsed token against the provider that it claims.</summary>
    public static TokenError Verify(ParsedJws jws, IssuerSettings issuer, JwkSet keys, DateTimeOffset now, out LogoutToken? token)
    {
        token = null;
        if (!issuer.Algorithms.Contains(jws.Algorithm))
        {
            return TokenError.Algorithm;
        }

        var error = JwsVerifier.Verify(jws, keys);
        if (error != TokenError.None)
        {
            return error;
        }

        // Providers of before 2022 do not type it. What tells it from an ID token then is events, which that must not have, and nonce,
        // which this must not have.
        if (jws.Type is { } type && !type.Equals("logout+jwt", StringComparison.OrdinalIgnoreCase)
            && !type.Equals("application/logout+jwt", StringComparison.OrdinalIgnoreCase)
            && !type.Equals("JWT", StringComparison.OrdinalIgnoreCase))
        {
            return TokenError.Type;
        }

        error = JwtClaims.Read(jws.Payload, now, out var claims);
        return error != TokenError.None ? error : Check(claims!, issuer, out token);
    }

    private static TokenError Check(JwtClaims claims, IssuerSettings issuer, out LogoutToken? token)
    {
        token = null;
        var payload = claims.Payload;
        if (claims.Issuer != issuer.Issuer)
        {
            return TokenError.Issuer;
        }

        if (!claims.Audiences.Contains(issuer.ClientId))
        {
            return TokenError.Audience;
        }

        if (claims.IssuedAt is not { } issued || claims.ExpiresAt - issued > MaximumAge)
        {
            return TokenError.Time;
        }

        if (payload.TryGetProperty("nonce", out _))
        {
            return TokenError.Nonce;
        }

        if (!payload.TryGetProperty("events", out var events) || events.ValueKind != JsonValueKind.Object
            || !events.TryGetProperty(Event, out var member) || member.ValueKind != JsonValueKind.Object
            || payload.Text("jti", 255) is not { Length: > 0 } id
            || !IsTextOrAbsent(payload, "sub", 255, out var subject) || !IsTextOrAbsent(payload, "sid", 128, out var session)
            || (subject is null && session is null))
        {
            return TokenError.Claims;
        }

        token = new LogoutToken(subject, session, id);
        return TokenError.None;
    }

    // A claim that is there and cannot be read would widen what is ended, were it taken for absent.
    private static bool IsTextOrAbsent(JsonElement payload, string name, int longest, out string? text)
    {
        text = payload.Text(name, longest);
        return text is { Length: > 0 } || (text is null && !payload.TryGetProperty(name, out _));
    }
}
