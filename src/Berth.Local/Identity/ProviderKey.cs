using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Local.Identity;

/// <summary>
/// The provider's RSA key (RS256, the one algorithm that every relying party must know: OpenID Connect Core 15.1), kept in a file.
/// </summary>
internal sealed class ProviderKey : IDisposable
{
    private readonly RSA _rsa;

    private ProviderKey(RSA rsa)
    {
        _rsa = rsa;
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        N = Base64Url.EncodeToString(parameters.Modulus);
        E = Base64Url.EncodeToString(parameters.Exponent);
        // RFC 7638: the thumbprint names the key, so a new key never hides behind an old name.
        Id = Secrets.Hash($$"""{"e":"{{E}}","kty":"RSA","n":"{{N}}"}""");
    }

    public string Id { get; }

    private string N { get; }

    private string E { get; }

    public static ProviderKey LoadOrCreate(string directory)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, "signing-key.pem");
        if (File.Exists(path))
        {
            var rsa = RSA.Create();
            try
            {
                rsa.ImportFromPem(File.ReadAllText(path));
            }
            catch (Exception e) when (e is ArgumentException or CryptographicException)
            {
                rsa.Dispose();
                throw DataFolder.Damaged(path);
            }

            return new ProviderKey(rsa);
        }

        var created = RSA.Create(2048);
        var temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(temporary, options))
        {
            file.Write(Encoding.ASCII.GetBytes(created.ExportPkcs8PrivateKeyPem()));
        }

        File.Move(temporary, path, overwrite: true);
        return new ProviderKey(created);
    }

    public JsonObject ToJwk() =>
        new()
        {
            ["kty"] = "RSA",
            ["use"] = "sig",
            ["alg"] = "RS256",
            ["kid"] = Id,
            ["n"] = N,
            ["e"] = E,
        };

    public string Sign(string typ, JsonObject claims)
    {
        var header = new JsonObject
        {
            ["alg"] = "RS256",
            ["kid"] = Id,
            ["typ"] = typ,
        };
        var input = $"{Encode(header)}.{Encode(claims)}";
        var signature = _rsa.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{input}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>
    /// The claims of a token that this key signed, or null. Expiry is the caller's to judge: an old ID token is still a good hint at
    /// sign-out.
    /// </summary>
    public JsonObject? Verify(string token, string typ)
    {
        var parts = token.Split('.');
        if (parts.Length != 3 || token.Length > 8192)
        {
            return null;
        }

        try
        {
            var header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0])) as JsonObject;
            if ((string?)header?["alg"] != "RS256" || (string?)header["kid"] != Id || (string?)header["typ"] != typ)
            {
                return null;
            }

            var signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
            return _rsa.VerifyData(signed, Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                ? JsonNode.Parse(Base64Url.DecodeFromChars(parts[1])) as JsonObject
                : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public void Dispose() => _rsa.Dispose();

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
