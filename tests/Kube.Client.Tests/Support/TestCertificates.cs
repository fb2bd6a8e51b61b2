using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kube.Client.Tests.Support;

/// <summary>A certificate authority of its own per test.</summary>
public sealed class TestCertificates
{
    private readonly X509Certificate2 _ca;

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _ca = request.CreateSelfSigned(Start, End);
    }

    private static DateTimeOffset Start => TimeProvider.System.GetUtcNow().AddDays(-2);

    private static DateTimeOffset End => TimeProvider.System.GetUtcNow().AddDays(30);

    public string CaPem => _ca.ExportCertificatePem();

    public X509Certificate2 Server(string[] names, DateTimeOffset? end = null)
    {
        var (certificate, _, _) = Leaf("CN=server", "1.3.6.1.5.5.7.3.1", names, end);
        return certificate;
    }

    public (string CertificatePem, string KeyPem) Client()
    {
        var (_, pem, key) = Leaf("CN=somebody", "1.3.6.1.5.5.7.3.2", [], null);
        return (pem, key);
    }

    private (X509Certificate2 Certificate, string Pem, string KeyPem) Leaf(
        string subject,
        string usage,
        string[] names,
        DateTimeOffset? end
    )
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_ca, true, false));
        if (names.Length > 0)
        {
            var alternative = new SubjectAlternativeNameBuilder();
            foreach (var name in names)
            {
                if (IPAddress.TryParse(name, out var address))
                {
                    alternative.AddIpAddress(address);
                }
                else
                {
                    alternative.AddDnsName(name);
                }
            }

            request.CertificateExtensions.Add(alternative.Build());
        }

        using var signed = request.Create(_ca, Start, end ?? End.AddDays(-1), RandomNumberGenerator.GetBytes(8));
        using var full = signed.CopyWithPrivateKey(key);
        return (
            X509CertificateLoader.LoadPkcs12(full.Export(X509ContentType.Pkcs12), null),
            signed.ExportCertificatePem(),
            key.ExportPkcs8PrivateKeyPem()
        );
    }
}
