using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Berth.Edge.Tests;

/// <summary>Project Wycheproof's vectors for JWS and JWK (Apache-2.0, see Data/wycheproof/LICENSE).</summary>
/// <remarks>
/// A vector passes the verifier when the token parses, its algorithm is on our list, its key is usable, and the signature is right.
/// Not applicable, each for a reason that the test counts: valid vectors whose algorithm we refuse on purpose.
/// </remarks>
public class WycheproofTests
{
    // RS384, RS512, PS384, PS512, ES512, ES256K and every MAC are off the list on purpose: no provider here signs with them, and MAC keys
    // are secrets.
    private static readonly ImmutableHashSet<string> Ours = JwsAlgorithms.All;

    [Theory]
    [InlineData("json_web_signature_test.json")]
    [InlineData("json_web_key_test.json")]
    public void Vectors_Invalid_AreAllRefused(string file)
    {
        var accepted = Vectors(file).Where(v => v.Result == "invalid" && Accepts(v)).Select(v => v.ToString());

        Assert.Empty(accepted);
    }

    [Theory]
    [InlineData("json_web_signature_test.json")]
    [InlineData("json_web_key_test.json")]
    public void Vectors_ValidWithAnAlgorithmOfOurs_AreAllAccepted(string file)
    {
        var refused = Vectors(file).Where(v => v.Result == "valid" && Applies(v) && !Accepts(v)).Select(v => v.ToString());

        Assert.Empty(refused);
    }

    [Theory]
    [InlineData("json_web_signature_test.json", 16)]
    [InlineData("json_web_key_test.json", 1)]
    public void Vectors_Applicable_AreNotFewerThanExpected(string file, int atLeast) =>
        Assert.True(Vectors(file).Count(v => v.Result == "valid" && Applies(v)) >= atLeast);

    // A key that names an algorithm of its own outside the list, or none of ours in the token's header: refused by design.
    private static bool Applies(Vector vector) =>
        Header(vector.Jws) is { } header && header.Text("alg") is { } algorithm && Ours.Contains(algorithm)
        && (vector.Key.Text("alg") is not { } own || own == algorithm);

    private static bool Accepts(Vector vector)
    {
        var document = vector.Key.TryGetProperty("keys", out _) ? vector.Key.GetRawText() : $$"""{"keys":[{{vector.Key.GetRawText()}}]}""";
        var keys = JwkSet.Parse(Encoding.UTF8.GetBytes(document));
        return JwsVerifier.Parse(vector.Jws, Ours, out var parsed) == TokenError.None
            && JwsVerifier.Verify(parsed!, keys!) == TokenError.None;
    }

    private static JsonElement? Header(string jws) =>
        StrictBase64Url.Decode(jws.Split('.')[0]) is { } bytes ? StrictJson.ParseObject(bytes) : null;

    private static IEnumerable<Vector> Vectors(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "wycheproof", file)));
        foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            var key = group.TryGetProperty("public", out var found) ? found : group.GetProperty("private");
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                var jws = test.GetProperty("jws");
                yield return new Vector(
                    test.GetProperty("tcId").GetInt32(),
                    test.GetProperty("comment").GetString()!,
                    test.GetProperty("result").GetString()!,
                    jws.ValueKind == JsonValueKind.String ? jws.GetString()! : jws.GetRawText(),
                    key.Clone());
            }
        }
    }

    private sealed record Vector(int Id, string Comment, string Result, string Jws, JsonElement Key)
    {
        public override string ToString() => $"{Id} {Comment} {Header(Jws)?.Text("alg")}";
    }
}
