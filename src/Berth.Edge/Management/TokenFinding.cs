using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// What can be said of a token that was refused without saying what it is: pure. Its header and claims are believed in nothing; they help
/// an
/// administrator to see which key, issuer or clock does not fit.
/// </summary>
/// <param name="Error">Why it was refused.</param>
/// <param name="IsPersonal">Whether it claims to be a personal access token.</param>
/// <param name="KeyId">kid, as far as it is printable; null for none.</param>
/// <param name="Issuer">iss where a configured provider has it, else <c>unknown</c>; null where the token says none.</param>
/// <param name="Claim">The member that did not fit; null where it is none.</param>
/// <param name="Skew">
/// By how much its times miss ours: negative for one that ended so long ago, positive for one that begins so much later; null where they
/// fit.
/// </param>
internal sealed record TokenFinding(
    TokenError Error, bool IsPersonal, string? KeyId = null, string? Issuer = null, string? Claim = null, TimeSpan? Skew = null)
{
    private const int MaximumKeyId = 64;

    /// <summary>Looks at a token.</summary>
    /// <param name="header">Value of the Authorization header.</param>
    /// <param name="error">Why it was refused.</param>
    /// <param name="settings">Configured providers.</param>
    /// <param name="now">The time.</param>
    public static TokenFinding Of(string header, TokenError error, EdgeSettings settings, DateTimeOffset now)
    {
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        var token = space < 0 ? "" : header[(space + 1)..].Trim(' ');
        if (PersonalTokenSecret.Claims(token))
        {
            return new TokenFinding(error, IsPersonal: true);
        }

        if (JwsVerifier.Parse(token, JwsAlgorithms.All, out var jws) != TokenError.None
            || StrictJson.ParseObject(jws!.Payload) is not { } claims)
        {
            return new TokenFinding(error, IsPersonal: false);
        }

        var issuer = claims.Text("iss");
        return new TokenFinding(
            error,
            IsPersonal: false,
            jws.KeyId is { } kid ? QueryParameters.ForLog(kid.Length > MaximumKeyId ? kid[..MaximumKeyId] : kid) : null,
            issuer is null ? null : settings.Issuers.Any(i => i.Issuer == issuer) ? issuer : "unknown",
            ClaimOf(error),
            error == TokenError.Time ? SkewOf(claims, now) : null);
    }

    private static string? ClaimOf(TokenError error) => error switch
    {
        TokenError.Audience => "aud",
        TokenError.Issuer or TokenError.UnknownIssuer => "iss",
        TokenError.Time => "exp, nbf or iat",
        TokenError.Type => "typ",
        TokenError.Algorithm => "alg",
        TokenError.UnknownKey => "kid",
        TokenError.Nonce => "nonce",
        _ => null,
    };

    private static TimeSpan? SkewOf(System.Text.Json.JsonElement claims, DateTimeOffset now)
    {
        var unix = now.ToUnixTimeMilliseconds() / 1000.0;
        return Seconds(claims, "exp") is { } end && end < unix ? Span(end - unix)
            : Seconds(claims, "nbf") is { } begin && begin > unix ? Span(begin - unix)
            : Seconds(claims, "iat") is { } made && made > unix ? Span(made - unix) : null;
    }

    // What it says is anybody's: no more than ten years, which is far enough off.
    private static TimeSpan Span(double seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, -315_360_000, 315_360_000));

    private static double? Seconds(System.Text.Json.JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.Number
            && value.TryGetDouble(out var seconds) && double.IsFinite(seconds) ? seconds : null;
}
