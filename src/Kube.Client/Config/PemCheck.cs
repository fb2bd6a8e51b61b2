using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kube.Client;

/// <summary>Says what is wrong with PEM texts, without quoting them.</summary>
internal static class PemCheck
{
    /// <summary>null when the text holds at least one certificate, else what is wrong.</summary>
    public static string? Certificates(string pem)
    {
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(pem);
            var none = certificates.Count == 0;
            Dispose(certificates);
            return none ? "holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----)" : null;
        }
        catch (CryptographicException)
        {
            return "holds a damaged certificate; copy it again";
        }
    }

    /// <summary>null when certificate and key are well-formed and belong together, else what is wrong.</summary>
    public static string? Pair(string certificatePem, string keyPem)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            return null;
        }
        catch (CryptographicException)
        {
            return "and the key are damaged, encrypted or do not belong together; both must be PEM, the key without a passphrase";
        }
        catch (ArgumentException)
        {
            return "and the key do not belong together";
        }
    }

    private static void Dispose(X509Certificate2Collection certificates)
    {
        foreach (var certificate in certificates)
        {
            certificate.Dispose();
        }
    }
}
