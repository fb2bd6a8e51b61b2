using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Benchmarks.Edge;

/// <summary>Keys of the benchmark's provider and tokens made with them: RSA-2048 for access tokens, P-256 for ID tokens.</summary>
internal sealed class BenchKeys : IDisposable
{
    internal const string RsaId = "bench-rsa";
    private const string EcId = "bench-ec";
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>JWK set with both.</summary>
    internal string Jwks
    {
        get
        {
            var (rsa, ec) = (_rsa.ExportParameters(false), _ec.ExportParameters(false));
            return $$"""
                {"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"{{RsaId}}","n":"{{Text(rsa.Modulus!)}}","e":"{{Text(rsa.Exponent!)}}"},
                {"kty":"EC","use":"sig","alg":"ES256","kid":"{{EcId}}","crv":"P-256","x":"{{Text(ec.Q.X!)}}","y":"{{Text(ec.Q.Y!)}}"}]}
                """;
        }
    }

    /// <summary>The RSA key in the form OpenSSL reads, for peers that take no JWK set.</summary>
    internal string RsaPem => _rsa.ExportSubjectPublicKeyInfoPem();

    /// <summary>The same as a self-signed certificate, for those that take nothing else.</summary>
    internal string RsaCertificatePem
    {
        get
        {
            var request = new CertificateRequest("CN=bench", _rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var now = TimeProvider.System.GetUtcNow();
            using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            return certificate.ExportCertificatePem();
        }
    }

    /// <summary>Access tokens that differ in their id alone; made on all cores, as each costs a quarter of a millisecond.</summary>
    internal string[] AccessTokens(int count, string issuer, string audience, string subject)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var tokens = new string[count];
        Parallel.For(0, count, () => RSA.Create(_rsa.ExportParameters(true)), (i, _, key) =>
        {
            var input = Input("RS256", RsaId, "at+jwt", new Dictionary<string, object>
            {
                ["iss"] = issuer,
                ["aud"] = audience,
                ["sub"] = subject,
                ["client_id"] = "bench",
                ["scope"] = "openid profile email",
                ["iat"] = now,
                ["exp"] = now + 3600,
                ["jti"] = $"bench-{i}",
            });
            tokens[i] = $"{input}.{Text(key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
            return key;
        }, key => key.Dispose());
        return tokens;
    }

    /// <summary>A token signed with the P-256 key.</summary>
    internal string SignEs256(Dictionary<string, object> claims, string type)
    {
        var input = Input("ES256", EcId, type, claims);
        lock (_ec)
        {
            return $"{input}.{Text(_ec.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256))}";
        }
    }

    public void Dispose()
    {
        _rsa.Dispose();
        _ec.Dispose();
    }

    private static string Input(string algorithm, string key, string type, Dictionary<string, object> claims) =>
        Text(Encoding.ASCII.GetBytes($$"""{"alg":"{{algorithm}}","kid":"{{key}}","typ":"{{type}}"}"""))
        + "." + Text(JsonSerializer.SerializeToUtf8Bytes(claims));

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
