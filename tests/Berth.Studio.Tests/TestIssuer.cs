using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Studio.Identity;

namespace Berth.Studio.Tests;

/// <summary>Signs identities as the proxy does; each test bends what it wants to see refused.</summary>
internal sealed class TestIssuer : IDisposable
{
    public const string Issuer = "http://edge.test";
    public const string Audience = "http://ws-test.localhost";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string KeyId { get; } = "key-1";

    public string KeySet
    {
        get
        {
            var q = _key.ExportParameters(false).Q;
            return new JsonObject
            {
                ["keys"] = new JsonArray(new JsonObject
                {
                    ["kty"] = "EC",
                    ["crv"] = "P-256",
                    ["alg"] = "ES256",
                    ["use"] = "sig",
                    ["kid"] = KeyId,
                    ["x"] = Base64Url.EncodeToString(q.X),
                    ["y"] = Base64Url.EncodeToString(q.Y),
                }),
            }.ToJsonString();
        }
    }

    public FixedKeySource Keys => new(JsonWebKeys.Parse(Encoding.UTF8.GetBytes(KeySet)));

    public static JsonObject Claims(DateTimeOffset now, string subject = "alice", string role = "owner") => new()
    {
        ["iss"] = Issuer,
        ["aud"] = Audience,
        ["sub"] = subject,
        ["oidc_iss"] = "https://idp.test",
        ["email"] = subject + "@example.org",
        ["name"] = "Name of " + subject,
        ["role"] = role,
        ["iat"] = now.ToUnixTimeSeconds(),
        ["nbf"] = now.ToUnixTimeSeconds(),
        ["exp"] = now.ToUnixTimeSeconds() + 300,
        ["jti"] = Guid.NewGuid().ToString("N"),
    };

    public JsonObject Header() => new() { ["alg"] = "ES256", ["kid"] = KeyId, ["typ"] = IdentityVerifier.TokenType };

    public string Sign(JsonObject claims, JsonObject? header = null) => Sign((header ?? Header()).ToJsonString(), claims.ToJsonString());

    public string Sign(string header, string claims)
    {
        var signed = Encode(header) + "." + Encode(claims);
        return signed + "." + Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256));
    }

    public static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    public void Dispose() => _key.Dispose();
}
