using System.Text.Json;

namespace Berth.Edge;

/// <summary>What a provider says of an opaque token (RFC 7662, 2.2): whether it is one that may be used here.</summary>
internal static class IntrospectionAnswer
{
    /// <summary>Reads an answer of status 200.</summary>
    /// <param name="body">The answer.</param>
    /// <param name="issuer">The provider that gave it; it has introspection.</param>
    /// <param name="now">The time.</param>
    /// <param name="claims">The token's claims where it is accepted; without exp it ends when it would be asked for again.</param>
    /// <returns><see cref="TokenError.Unverifiable"/> for what is no such answer.</returns>
    public static TokenError Read(ReadOnlyMemory<byte> body, IssuerSettings issuer, DateTimeOffset now, out JwtClaims? claims)
    {
        claims = null;
        if (StrictJson.ParseObject(body) is not { } root || !root.TryGetProperty("active", out var active)
            || active.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            return TokenError.Unverifiable;
        }

        if (active.ValueKind == JsonValueKind.False)
        {
            return TokenError.Inactive;
        }

        // A refresh token is active too, and answers without a type or with one of its own; one that is bound to a key is no bearer token.
        if (!"Bearer".Equals(root.Text("token_type"), StringComparison.OrdinalIgnoreCase) || root.TryGetProperty("cnf", out _))
        {
            return TokenError.Type;
        }

        if (root.TryGetProperty("iss", out _) && root.Text("iss") != issuer.Issuer)
        {
            return TokenError.Issuer;
        }

        var audiences = root.Texts("aud");
        var isForUs = root.TryGetProperty("aud", out _)
            ? issuer.Audience is { } own && audiences.Contains(own)
            : root.Text("client_id") is { } client && issuer.Introspection!.Clients.Contains(client);
        if (!isForUs)
        {
            return TokenError.Audience;
        }

        if (!JwtClaims.Date(root, "exp", out var expires) || !JwtClaims.Date(root, "nbf", out var notBefore)
            || !JwtClaims.Date(root, "iat", out var issued)
            || now >= expires + JwtClaims.Skew || now < notBefore - JwtClaims.Skew || now < issued - JwtClaims.Skew
            || expires - (issued ?? now) > issuer.MaximumTokenLifetime)
        {
            return TokenError.Time;
        }

        if (root.Text("sub", 255) is null)
        {
            return TokenError.Claims;
        }

        claims = new JwtClaims
        {
            Payload = root,
            Issuer = issuer.Issuer,
            Audiences = audiences,
            ExpiresAt = expires ?? now + issuer.Introspection!.CacheFor,
            IssuedAt = issued,
        };
        return TokenError.None;
    }
}
