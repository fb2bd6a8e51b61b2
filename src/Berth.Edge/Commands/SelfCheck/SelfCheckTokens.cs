using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>Tokens that nobody made, and good ones in the wrong place.</summary>
internal static class SelfCheckTokens
{
    private const string Edge = "update the edge, and let no front proxy take Authorization away or answer in its place";

    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        new("api-without-credentials", "401, not cached", Edge, async p =>
        {
            foreach (var path in (string[])["/api/me", "/api/workspaces", "/api/me/tokens", "/api/audit"])
            {
                var answer = await p.GetAsync(path);
                if (answer.Status != 401 || !answer["Cache-Control"].Contains("no-store", StringComparison.OrdinalIgnoreCase))
                {
                    return SelfCheckVerdict.Of(false, $"{answer.Status} with '{answer["Cache-Control"]}' for {path}");
                }
            }

            return SelfCheckVerdict.Of(true, "401");
        }),
        // CVE-2022-29226: that a token was there passed for a good one.
        new("bearer-garbage", "401 on every route", Edge, async p =>
        {
            foreach (var path in (string[])["/api/me", "/", "/tos", "/login", "/dashboard", "/nothing-here"])
            {
                var answer = await p.GetAsync(path, ("Authorization", "Bearer garbage"));
                if (answer.Status != 401)
                {
                    return SelfCheckVerdict.Of(false, $"{answer.Status} for {path}");
                }
            }

            return SelfCheckVerdict.Of(true, "401");
        }),
        new("token-forged", "401 for alg none, HS256 with a public key, and a key that the token brings along", Edge, async p =>
        {
            foreach (var (what, token) in Forged(p.Target.Edge.GetLeftPart(UriPartial.Authority)))
            {
                var answer = await p.GetAsync("/api/me", ("Authorization", $"Bearer {token}"));
                if (answer.Status != 401)
                {
                    return SelfCheckVerdict.Of(false, $"{answer.Status} for {what}");
                }
            }

            return SelfCheckVerdict.Of(true, "401");
        }),
        new("two-authorization-headers", "refused", Edge, p => p.RefusedAsync(
            ("two", "GET /tos HTTP/1.1\r\n@Authorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n"))),
        new("token-good", "200, not cached", "give a token that is meant for this edge and has not ended", async p =>
        {
            var answer = await p.GetAsync("/api/me", ("Authorization", $"Bearer {p.Target.Token}"));
            return SelfCheckVerdict.Of(answer.Status == 200 && answer["Cache-Control"].Contains("no-store",
                StringComparison.OrdinalIgnoreCase),
                $"{answer.Status} with '{answer["Cache-Control"]}'");
        }, SelfCheckNeeds.Token),
        new("token-changed", "401", Edge, p => SelfCheckHeaders.StatusAsync(p, 401, "/api/me",
            [("Authorization", $"Bearer {Changed(p.Target.Token!)}")], [("Authorization", $"Bearer {p.Target.Token}x")]),
                SelfCheckNeeds.Token),
        // RFC 6750 allows it and advises against: such tokens are in logs.
        new("token-in-query", "401", Edge, p => SelfCheckHeaders.StatusAsync(
            p, 401, $"/api/me?access_token={p.Target.Token}", [("X-Access-Token", p.Target.Token!)]), SelfCheckNeeds.Token),
    ];

    /// <summary>A text with one character in the middle of its last part changed.</summary>
    public static string Changed(string token)
    {
        var at = token.LastIndexOf('.') + ((token.Length - token.LastIndexOf('.')) / 2);
        return $"{token[..at]}{(token[at] == 'A' ? 'B' : 'A')}{token[(at + 1)..]}";
    }

    private static IEnumerable<(string What, string Token)> Forged(string issuer)
    {
        var claims = Part($$"""{"iss":"{{issuer}}","sub":"admin","aud":"{{issuer}}","iat":1,"exp":4102444800,"client_id":"x","jti":"x"}""");
        yield return ("alg none", $"{Part("""{"alg":"none","typ":"at+jwt"}""")}.{claims}.");
        yield return ("alg None", $"{Part("""{"alg":"None","typ":"at+jwt"}""")}.{claims}.");
        var keyed = $"{Part("""{"alg":"HS256","typ":"at+jwt","kid":"x"}""")}.{claims}";
        yield return ("alg HS256", $"{keyed}.{Url(HMACSHA256.HashData("key"u8, Encoding.ASCII.GetBytes(keyed)))}");
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = own.ExportParameters(includePrivateParameters: false).Q;
        var jwk = $$"""{"kty":"EC","crv":"P-256","x":"{{Url(key.X!)}}","y":"{{Url(key.Y!)}}"}""";
        var brought = $"{Part($$"""{"alg":"ES256","typ":"at+jwt","jwk":{{jwk}} }""")}.{claims}";
        yield return ("a key of its own", $"{brought}.{Url(own.SignData(Encoding.ASCII.GetBytes(brought), HashAlgorithmName.SHA256))}");
    }

    private static string Part(string json) => Url(Encoding.UTF8.GetBytes(json));

    private static string Url(byte[] bytes) => StrictBase64Url.Encode(bytes);
}
