using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Kube.Client.Auth;

/// <summary>Gives the credentials of each request; those that rotate are fetched anew here.</summary>
internal abstract class CredentialSource
{
    /// <summary>Authorization header of the next request, or null.</summary>
    public abstract ValueTask<AuthenticationHeaderValue?> GetAsync(CancellationToken cancellationToken);

    /// <summary>Client certificate for new connections, or null.</summary>
    public virtual X509Certificate2? ClientCertificate => null;

    /// <summary>The server answered 401: forget what is cached. True when a next try may have other credentials.</summary>
    public virtual bool Refused() => false;

    /// <summary>The source for a configuration.</summary>
    public static CredentialSource For(KubeConfig config, TimeProvider time)
    {
        var credentials = config.Credentials;
        if (credentials.Exec is { } plugin)
        {
            return new ExecCredentialSource(plugin, config, time);
        }

        var certificate = credentials is { ClientCertificatePem: { } pem, ClientKeyPem: { } key }
            ? ClientCertificates.Load(pem, key)
            : null;
        if (credentials.TokenFile is { } file)
        {
            return new TokenFileSource(file, certificate, time);
        }

        var header =
            credentials.Token is { } token ? new AuthenticationHeaderValue("Bearer", token)
            : credentials.Username is { } user
                ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{credentials.Password}")))
            : null;
        return new FixedCredentialSource(header, certificate);
    }
}

/// <summary>Credentials that never change.</summary>
internal sealed class FixedCredentialSource(AuthenticationHeaderValue? header, X509Certificate2? certificate) : CredentialSource
{
    public override X509Certificate2? ClientCertificate => certificate;

    public override ValueTask<AuthenticationHeaderValue?> GetAsync(CancellationToken cancellationToken) => new(header);
}

/// <summary>Loads client certificates in the form that TLS needs.</summary>
internal static class ClientCertificates
{
    public static X509Certificate2 Load(string certificatePem, string keyPem)
    {
        using var ephemeral = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        // Windows' TLS cannot use a key that lives only in memory; a round trip through PKCS#12 works everywhere.
        return X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), password: null);
    }
}
