namespace Kube.Client;

/// <summary>The <c>cluster</c> of a kubeconfig.</summary>
internal static class ClusterSection
{
    /// <summary>The cluster as a configuration without context and user, or null with problems noted.</summary>
    public static KubeConfig? Read(YamlSection section, string folder)
    {
        if (!section.Exists)
        {
            section.Complain("", "is missing; add it");
            return null;
        }

        var server = Server(section);
        var insecure = section.Flag("insecure-skip-tls-verify");
        var ca = PemField.Read(section, "certificate-authority", folder);
        if (ca is not null && PemCheck.Certificates(ca.Text) is { } wrong)
        {
            section.Complain(ca.Field, wrong);
        }

        if (insecure && ca is not null)
        {
            section.Complain("insecure-skip-tls-verify", $"contradicts {ca.Field}; remove one of them");
        }

        Uri? proxy = null;
        if (section.Text("proxy-url") is { } text
            && (!Uri.TryCreate(text, UriKind.Absolute, out proxy) || proxy.Scheme is not ("http" or "https" or "socks5")))
        {
            section.Complain("proxy-url", "must be an absolute http, https or socks5 URL");
        }

        return server is null ? null : new KubeConfig
        {
            Server = server,
            CertificateAuthorityPem = ca?.Text,
            InsecureSkipTlsVerify = insecure,
            TlsServerName = section.Text("tls-server-name"),
            ProxyUrl = proxy,
        };
    }

    private static Uri? Server(YamlSection section)
    {
        if (section.Text("server") is not { } text)
        {
            section.Complain("server", "is missing; add the URL of the API, such as https://127.0.0.1:6443");
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https") || server.Host.Length == 0)
        {
            section.Complain("server", "must be an absolute http or https URL, such as https://127.0.0.1:6443");
            return null;
        }

        if (server.UserInfo.Length > 0 || server.Query.Length > 0 || server.Fragment.Length > 0)
        {
            section.Complain("server", "must hold neither credentials nor a query; move credentials to the user");
            return null;
        }

        return server;
    }
}

/// <summary>PEM given either as base64 (<c>x-data</c>, which wins) or as a file (<c>x</c>).</summary>
internal sealed record PemField(string Field, string Text)
{
    /// <summary>The PEM, or null when absent or (with a problem noted) unreadable.</summary>
    public static PemField? Read(YamlSection section, string field, string folder)
    {
        if (section.Text($"{field}-data") is { } data)
        {
            try
            {
                return new($"{field}-data", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data)));
            }
            catch (FormatException)
            {
                section.Complain($"{field}-data", "is not base64; encode the PEM file with base64");
                return null;
            }
        }

        if (section.Text(field) is not { } path)
        {
            return null;
        }

        List<string> problems = [];
        var text = KubeConfigLoader.ReadText(Path.GetFullPath(path, Path.GetFullPath(folder)), "it", "", problems);
        foreach (var problem in problems)
        {
            section.Complain(field, $"cannot be used: {problem.TrimEnd('.')}");
        }

        return text is null ? null : new(field, text);
    }
}
