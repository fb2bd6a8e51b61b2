using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>One public key of a provider: RSA of 2048 bits or more, or EC on P-256 or P-384.</summary>
internal sealed class JwkKey
{
    private const int MaximumRsaBits = 8192;
    private readonly Func<AsymmetricAlgorithm> _create;

    // The framework promises nothing about one instance used by several threads, and importing a key costs more than verifying with it.
    private readonly ConcurrentBag<AsymmetricAlgorithm> _pool = [];
    private readonly string _type;
    private readonly string? _algorithm;

    private JwkKey(string type, string? keyId, string? algorithm, string numbers, Func<AsymmetricAlgorithm> create)
    {
        // The key id comes last: it may hold anything.
        Thumbprint = $"{type} {algorithm} {numbers} {(keyId is null ? "" : "kid:" + keyId)}";
        _type = type;
        KeyId = keyId;
        _algorithm = algorithm;
        _create = create;
    }

    /// <summary>kid, or null.</summary>
    public string? KeyId { get; }

    /// <summary>All that makes the key what it is: two with the same are one key, whenever they were read.</summary>
    public string Thumbprint { get; }

    /// <summary>
    /// Reads a key; null when it is not a public signature key that we use (kty, crv, use, key_ops, alg, size and point are checked).
    /// </summary>
    public static JwkKey? Parse(JsonElement element)
    {
        if (element.TryGetProperty("use", out _) && element.Text("use") != "sig")
        {
            return null;
        }

        if (element.TryGetProperty("key_ops", out _) && !element.Texts("key_ops").Contains("verify"))
        {
            return null;
        }

        var algorithm = element.Text("alg");
        if ((element.TryGetProperty("alg", out _) && algorithm is null)
            || (element.TryGetProperty("kid", out _) && element.Text("kid") is null))
        {
            return null;
        }

        try
        {
            return element.Text("kty") switch
            {
                "RSA" => Rsa(element, algorithm),
                "EC" => Ec(element, algorithm),
                _ => null,
            };
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            // The point is not on the curve, or the numbers are no key.
            return null;
        }
    }

    /// <summary>Whether the key may be used with an algorithm: its kind, its curve and its own alg member all have to agree.</summary>
    public bool Fits(string algorithm) => (_algorithm is null || _algorithm == algorithm) && algorithm switch
    {
        JwsAlgorithms.Rs256 or JwsAlgorithms.Ps256 => _type == "RSA",
        JwsAlgorithms.Es256 => _type == "P-256",
        JwsAlgorithms.Es384 => _type == "P-384",
        _ => false,
    };

    /// <summary>Verifies a signature; false for a wrong one and for an algorithm that does not fit.</summary>
    public bool Verify(string algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!Fits(algorithm))
        {
            return false;
        }

        if (!_pool.TryTake(out var key))
        {
            key = _create();
        }

        try
        {
            return (key, algorithm) switch
            {
                (RSA rsa, JwsAlgorithms.Rs256) => signature.Length == (rsa.KeySize + 7) / 8
                    && rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                (RSA rsa, JwsAlgorithms.Ps256) => signature.Length == (rsa.KeySize + 7) / 8
                    && rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
                (ECDsa ec, JwsAlgorithms.Es256) => signature.Length == 64
                    && ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                (ECDsa ec, JwsAlgorithms.Es384) => signature.Length == 96
                    && ec.VerifyData(data, signature, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            if (_pool.Count < Environment.ProcessorCount * 2)
            {
                _pool.Add(key);
            }
            else
            {
                key.Dispose();
            }
        }
    }

    private static JwkKey? Rsa(JsonElement element, string? algorithm)
    {
        if (algorithm is not (null or JwsAlgorithms.Rs256 or JwsAlgorithms.Ps256)
            || StrictBase64Url.Decode(element.Text("n", 4096) ?? "") is not { Length: > 0 } modulus
            || StrictBase64Url.Decode(element.Text("e", 16) ?? "") is not { Length: > 0 and <= 8 } exponent)
        {
            return null;
        }

        modulus = modulus.AsSpan().TrimStart((byte)0).ToArray();
        if (!IsExponent(exponent) || modulus.Length < 256 || modulus[0] < 0x80 || modulus.Length * 8 > MaximumRsaBits
            || RocaKeys.IsWeak(modulus))
        {
            return null;
        }

        var parameters = new RSAParameters { Modulus = modulus, Exponent = exponent };
        RSA.Create(parameters).Dispose();
        return new JwkKey("RSA", element.Text("kid"), algorithm, $"{Convert.ToBase64String(modulus)} {Convert.ToBase64String(exponent)}",
            () => RSA.Create(parameters));
    }

    private static JwkKey? Ec(JsonElement element, string? algorithm)
    {
        var name = element.Text("crv");
        (ECCurve Curve, int Size, string Algorithm)? curve = name switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32, JwsAlgorithms.Es256),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48, JwsAlgorithms.Es384),
            _ => null,
        };
        if (curve is null || (algorithm is not null && algorithm != curve.Value.Algorithm)
            || StrictBase64Url.Decode(element.Text("x") ?? "") is not { } x || x.Length != curve.Value.Size
            || StrictBase64Url.Decode(element.Text("y") ?? "") is not { } y || y.Length != curve.Value.Size)
        {
            return null;
        }

        var parameters = new ECParameters { Curve = curve.Value.Curve, Q = new ECPoint { X = x, Y = y } };
        parameters.Validate();
        ECDsa.Create(parameters).Dispose();
        return new JwkKey(name!, element.Text("kid"), algorithm, $"{Convert.ToBase64String(x)} {Convert.ToBase64String(y)}",
            () => ECDsa.Create(parameters));
    }

    // Odd and at least 3; 1 would make every message its own signature.
    private static bool IsExponent(byte[] exponent)
    {
        ulong value = 0;
        foreach (var b in exponent)
        {
            value = (value << 8) | b;
        }

        return value >= 3 && (value & 1) == 1;
    }
}
