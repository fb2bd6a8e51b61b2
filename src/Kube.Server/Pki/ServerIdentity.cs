using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Kube.Server.Pki;

/// <summary>
/// The server's CA, certificate and administrator token, made once and kept under <c>DataDirectory/pki</c>, readable by the user alone.
/// </summary>
internal sealed record ServerIdentity(X509Certificate2 Certificate, string CaPem, string Token)
{
    private static readonly TimeSpan CaLife = TimeSpan.FromDays(3650);
    private static readonly TimeSpan CertificateLife = TimeSpan.FromDays(365);

    /// <exception cref="InvalidOperationException">What is kept cannot be read as keys and certificates.</exception>
    public static ServerIdentity LoadOrCreate(string directory, IPAddress address, DateTimeOffset now)
    {
        try
        {
            return Load(directory, address, now);
        }
        catch (CryptographicException e)
        {
            throw new InvalidOperationException(
                $"The keys in {directory} are damaged: remove that folder, and they are made anew "
                    + "(kubeconfig files made from them end).", e);
        }
    }

    private static ServerIdentity Load(string directory, IPAddress address, DateTimeOffset now)
    {
        MakePrivateDirectory(directory);
        var caPath = Path.Combine(directory, "ca.crt");
        var caKeyPath = Path.Combine(directory, "ca.key");
        var certificatePath = Path.Combine(directory, "server.crt");
        var keyPath = Path.Combine(directory, "server.key");
        if (!File.Exists(caPath) || !File.Exists(caKeyPath))
        {
            CreateCa(caPath, caKeyPath, now);
            File.Delete(certificatePath);
        }
        using var ca = X509Certificate2.CreateFromPemFile(caPath, caKeyPath);
        if (!IsUsable(certificatePath, keyPath, address, now))
        {
            CreateServer(ca, certificatePath, keyPath, address, now);
        }
        using var pem = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        // Some platforms cannot serve with the ephemeral key of a PEM; PKCS#12 in memory works on all.
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        return new ServerIdentity(certificate, File.ReadAllText(caPath), ReadToken(Path.Combine(directory, "admin.token")));
    }

    public static void WritePrivate(string path, string text)
    {
        var temporary = path + ".tmp";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using (var file = new FileStream(temporary, options))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private static void MakePrivateDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
            return;
        }
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static void CreateCa(string path, string keyPath, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-server-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now + CaLife);
        WritePrivate(keyPath, key.ExportPkcs8PrivateKeyPem());
        WritePrivate(path, certificate.ExportCertificatePem());
    }

    private static void CreateServer(X509Certificate2 ca, string path, string keyPath, IPAddress address, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        if (!IPAddress.IsLoopback(address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
        {
            names.AddIpAddress(address);
        }
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(ca, true, false));
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        var end = now + CertificateLife;
        using var certificate = request.Create(ca, now.AddMinutes(-5), end < ca.NotAfter ? end : ca.NotAfter, serial);
        WritePrivate(keyPath, key.ExportPkcs8PrivateKeyPem());
        WritePrivate(path, certificate.ExportCertificatePem());
    }

    private static bool IsUsable(string path, string keyPath, IPAddress address, DateTimeOffset now)
    {
        if (!File.Exists(path) || !File.Exists(keyPath))
        {
            return false;
        }
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
        // A month before the end a restart makes a new one.
        return certificate.NotAfter > now.AddDays(30).LocalDateTime
            && (IPAddress.IsLoopback(address) || certificate.MatchesHostname(address.ToString()));
    }

    private static string ReadToken(string path)
    {
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: >= 32 } known)
        {
            return known;
        }
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        WritePrivate(path, token);
        return token;
    }
}
