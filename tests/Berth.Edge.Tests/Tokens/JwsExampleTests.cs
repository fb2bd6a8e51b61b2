using System.Text;

namespace Berth.Edge.Tests;

/// <summary>
/// The examples of RFC 7515, appendix A, and of RFC 8037: what is on our list verifies, the rest is refused for the right reason.
/// </summary>
public class JwsExampleTests
{
    private const string Payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    // A.1: a MAC; its key would be a secret that everybody who verifies has. Also the way in for "the public key as the secret".
    private const string Hs256 = $"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{Payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    // A.2.
    private const string Rs256 = $"eyJhbGciOiJSUzI1NiJ9.{Payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5"
        + "RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLI"
        + "ARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEU"
        + "ipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    private const string RsaKey =
        "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l"
        + "8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9"
        + "wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo"
        + "5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}]}";

    // A.3.
    private const string Es256 = $"eyJhbGciOiJFUzI1NiJ9.{Payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8"
        + "ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    private const string EcKey =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        + "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

    // A.4.
    private const string Es512 = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWRO"
        + "c-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXo"
        + "lLzeO_Jn";

    private const string P521Key =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBp"
        + "Xp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3"
        + "S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}]}";

    // A.5.
    private const string Unsecured = $"eyJhbGciOiJub25lIn0.{Payload}.";

    // RFC 8037, A.4.
    private const string EdDsa = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGc"
        + "vMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    [Theory]
    [InlineData(Rs256, RsaKey)]
    [InlineData(Es256, EcKey)]
    public void Example_OnTheList_Verifies_AndNotWithABitChanged(string token, string keys)
    {
        Assert.Equal(TokenError.None, JwsVerifier.Parse(token, JwsAlgorithms.All, out var jws));
        Assert.Equal(TokenError.None, JwsVerifier.Verify(jws!, Keys(keys)));
        for (var i = 0; i < jws!.Signature.Length; i += 7)
        {
            var changed = (byte[])jws.Signature.Clone();
            changed[i] ^= 1;
            Assert.Equal(TokenError.Signature, JwsVerifier.Verify(jws with { Signature = changed }, Keys(keys)));
        }

        Assert.Equal(TokenError.UnknownKey, JwsVerifier.Verify(jws, Keys(keys == RsaKey ? EcKey : RsaKey)));
    }

    [Theory]
    [InlineData(Hs256)]
    [InlineData(Es512)]
    [InlineData(Unsecured)]
    [InlineData(EdDsa)]
    public void Example_OffTheList_IsRefusedBeforeAnyKeyIsLookedAt(string token) =>
        Assert.Equal(TokenError.Algorithm, JwsVerifier.Parse(token, JwsAlgorithms.All, out _));

    // A.6 in both forms: only the compact one is read, of which there is one form for each token.
    [Theory]
    [InlineData("""{"payload":"PAYLOAD","signatures":[{"protected":"eyJhbGciOiJFUzI1NiJ9","signature":"DtEhU3ljbEg8L38V"}]}""")]
    [InlineData("""{"payload":"PAYLOAD","protected":"eyJhbGciOiJFUzI1NiJ9","signature":"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmX"}""")]
    public void Example_InJson_IsRefused(string token) => Assert.Equal(TokenError.Malformed,
        JwsVerifier.Parse(token.Replace("PAYLOAD", Payload, StringComparison.Ordinal), JwsAlgorithms.All, out _));

    [Fact]
    public void Keys_OffTheList_AreNoKeys()
    {
        Assert.Empty(Keys(P521Key).Keys);
        Assert.Empty(Keys("""{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}""").Keys);
        Assert.Empty(Keys("""{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}]}""").Keys);
    }

    // CVE-2024-37568: the public key, in any form somebody may find it in, as the secret of a MAC.
    [Fact]
    public void Mac_WithThePublicKeyAsSecret_IsRefused()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        foreach (var secret in (byte[][])[rsa.ExportSubjectPublicKeyInfo(), rsa.ExportRSAPublicKey(),
            Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()),
            Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem() + "\n")])
        {
            var input = $"{StrictBase64Url.Encode("""{"alg":"HS256","typ":"at+jwt"}"""u8)}.{Payload}";
            var mac = System.Security.Cryptography.HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(input));
            Assert.Equal(TokenError.Algorithm,
                JwsVerifier.Parse($"{input}.{StrictBase64Url.Encode(mac)}", JwsAlgorithms.All, out _));
        }
    }

    // CVE-2026-28490, CVE-2024-21319: nothing is decrypted, and nothing is unpacked.
    [Theory]
    [InlineData("""{"alg":"RSA1_5","enc":"A128CBC-HS256"}""", TokenError.Malformed, 5)]
    [InlineData("""{"alg":"dir","enc":"A256GCM","zip":"DEF"}""", TokenError.Malformed, 5)]
    [InlineData("""{"alg":"RSA1_5","enc":"A128CBC-HS256"}""", TokenError.Algorithm, 3)]
    [InlineData("""{"alg":"ES256","zip":"DEF"}""", TokenError.UnsupportedHeader, 3)]
    public void Encrypted_OrCompressed_IsRefusedUnread(string header, object expected, int parts) =>
        Assert.Equal((TokenError)expected, JwsVerifier.Parse(
            string.Join('.', Enumerable.Repeat("e30", parts - 1).Prepend(StrictBase64Url.Encode(Encoding.UTF8.GetBytes(header)))),
            JwsAlgorithms.All, out _));

    [Fact]
    public void Algorithm_ThatIsNotServed_EndsTheStartWithWhatIs()
    {
        var options = EdgeFixture.Options("https://issuer.test");
        foreach (var algorithm in (string[])["EdDSA", "HS256", "none", "ES512"])
        {
            var error = Assert.Throws<EdgeConfigurationException>(() => EdgeSettingsParser.Parse(
                options with { Issuers = [options.Issuers[0] with { Algorithms = [algorithm] }] }));

            var problem = Assert.Single(error.Problems);
            Assert.Contains($"Issuers:0:Algorithms contains '{algorithm}'", problem, StringComparison.Ordinal);
            Assert.Contains("ES256, ES384, PS256, RS256", problem, StringComparison.Ordinal);
            Assert.Equal(algorithm == "EdDSA", problem.Contains("Ed25519", StringComparison.Ordinal));
        }
    }

    private static JwkSet Keys(string json) => JwkSet.Parse(Encoding.UTF8.GetBytes(json))!;
}
