using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Berth.Edge;

/// <summary>Reads the PEM keys of the identity header.</summary>
internal sealed class IdentityKeyReader(Action<string, string> problem, Func<string, string, string?> read)
{
    private const string Remedy = "make one with: openssl ecparam -name prime256v1 -genkey -noout";

    public ImmutableArray<ECParameters> Read(WorkspaceIdentityOptions options)
    {
        if (options.KeyFiles.Count == 0 && options.GenerateKey)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return [key.ExportParameters(includePrivateParameters: true)];
        }

        if (options.KeyFiles.Count is 0 or > 2)
        {
            problem("Identity:KeyFiles",
                $"has {options.KeyFiles.Count} files; give one, or two while rotating (a P-256 private key in PEM each; {Remedy})");
        }

        var result = ImmutableArray.CreateBuilder<ECParameters>();
        for (var i = 0; i < options.KeyFiles.Count; i++)
        {
            var name = $"Identity:KeyFiles:{i}";
            if (read(name, options.KeyFiles[i]) is { } pem && ReadOne(name, pem) is { } key)
            {
                result.Add(key);
            }
        }

        return result.ToImmutable();
    }

    private ECParameters? ReadOne(string name, string pem)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(pem);
            var parameters = key.ExportParameters(includePrivateParameters: true);
            if (parameters.Curve.Oid?.Value == "1.2.840.10045.3.1.7")
            {
                return parameters;
            }

            problem(name, $"is not on curve P-256; {Remedy}");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            problem(name, $"holds no private EC key in PEM; {Remedy}");
        }

        return null;
    }
}
