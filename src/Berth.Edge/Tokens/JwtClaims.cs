using System.Text.Json;

namespace Berth.Edge;

/// <summary>Claims common to all tokens (RFC 7519, 4.1), read from a verified payload.</summary>
internal sealed record JwtClaims
{
    // 1 January 0001 and 31 December 9999, less a margin for skew: outside of it a date says nothing anyway.
    private const double Earliest = -62_000_000_000;
    private const double Latest = 253_000_000_000;

    /// <summary>Clocks may differ by this much. 60 seconds: NTP keeps them within one, and a minute of a stolen token is little.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>The whole payload.</summary>
    public required JsonElement Payload { get; init; }

    /// <summary>iss.</summary>
    public required string Issuer { get; init; }

    /// <summary>aud, as a list.</summary>
    public required IReadOnlyList<string> Audiences { get; init; }

    /// <summary>exp.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>iat or null.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>Reads the claims and checks the times.</summary>
    public static TokenError Read(ReadOnlyMemory<byte> payload, DateTimeOffset now, out JwtClaims? claims)
    {
        claims = null;
        if (StrictJson.ParseObject(payload) is not { } root)
        {
            return TokenError.Malformed;
        }

        if (root.Text("iss") is not { } issuer)
        {
            return TokenError.Issuer;
        }

        if (!Date(root, "exp", out var expires) || !Date(root, "nbf", out var notBefore) || !Date(root, "iat", out var issued)
            || expires is null)
        {
            return TokenError.Time;
        }

        if (now >= expires + Skew || now < notBefore - Skew || now < issued - Skew)
        {
            return TokenError.Time;
        }

        claims = new JwtClaims
        {
            Payload = root,
            Issuer = issuer,
            Audiences = root.Texts("aud"),
            ExpiresAt = expires.Value,
            IssuedAt = issued
        };
        return TokenError.None;
    }

    // Absent is fine (null); present must be a finite number. NumericDate may have a fraction, and 1e300 is clamped rather than overflowed.
    internal static bool Date(JsonElement root, string name, out DateTimeOffset? date)
    {
        date = null;
        if (!root.TryGetProperty(name, out var value))
        {
            return true;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || !double.IsFinite(seconds))
        {
            return false;
        }

        date = DateTimeOffset.UnixEpoch.AddSeconds(Math.Clamp(seconds, Earliest, Latest));
        return true;
    }
}
