using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Kube.Client.Http;

/// <summary>
/// Decides whether the server is the one that the configuration means: the certificate chain ends in a root of the configuration and the
/// name is right.
/// </summary>
/// <remarks>
/// With roots given no others count. Name and validity are always checked unless the configuration says to trust anybody.
/// </remarks>
internal static class ServerTrust
{
    /// <summary>TLS settings of a configuration.</summary>
    public static SslClientAuthenticationOptions For(KubeConfig config, Func<X509Certificate2?> clientCertificate)
    {
        var options = new SslClientAuthenticationOptions { LocalCertificateSelectionCallback = (_, _, _, _, _) => clientCertificate()! };
        if (config.InsecureSkipTlsVerify)
        {
#pragma warning disable CA5359 // The person's explicit choice in the configuration.
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            return options;
        }

        if (config.CertificateAuthorityPem is { } pem)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                // Cluster authorities publish no revocation lists, and a chain must not make the client fetch URLs that a server chose.
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            policy.CustomTrustStore.ImportFromPem(pem);
            options.CertificateChainPolicy = policy;
        }

        var expected = config.TlsServerName ?? config.Server.IdnHost;
        options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            errors == SslPolicyErrors.None
                ? true
                : throw new AuthenticationException(Explain(errors, certificate, chain, expected, config));
        return options;
    }

    private static string Explain(
        SslPolicyErrors errors,
        X509Certificate? certificate,
        X509Chain? chain,
        string expected,
        KubeConfig config
    )
    {
        List<string> reasons = [];
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            reasons.Add("the server showed no certificate");
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            reasons.Add($"its certificate is not for \"{expected}\" but for {Names(certificate)}; correct server or tls-server-name");
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            var flags =
                chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status) ?? X509ChainStatusFlags.NoError;
            reasons.Add(Chain(flags, config));
        }

        return $"The Kubernetes API at {config.Server} cannot be trusted: {string.Join("; and ", reasons)}.";
    }

    private static string Chain(X509ChainStatusFlags flags, KubeConfig config)
    {
        if (flags.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            return "a certificate of its chain has expired or is not yet valid; renew it, or correct this machine's clock";
        }

        // An authority made anew has the old one's name and another key: then the signature is what does not fit.
        if (
            (flags & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.NotSignatureValid)) != 0
        )
        {
            return config.CertificateAuthorityPem is null
                ? "its certificate is signed by no authority that this machine trusts; add certificate-authority-data of the cluster"
                : "its certificate is not signed by the certificate authority of the configuration; was the cluster made anew, "
                    + "or is this another server?";
        }

        return $"its certificate chain is not valid ({flags})";
    }

    private static string Names(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 full)
        {
            return "no name";
        }

        var names = full
            .Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString())))
            .Take(10);
        var text = string.Join(", ", names);
        return text.Length == 0 ? "no name" : text;
    }
}
