namespace Kube.Client;

/// <summary>The <c>user</c> of a kubeconfig.</summary>
internal static class UserSection
{
    /// <summary>The credentials; problems are noted in the section.</summary>
    public static KubeCredentials Read(YamlSection section, string folder)
    {
        if (!section.Exists)
        {
            return KubeCredentials.None;
        }

        if (section.Section("auth-provider") is { Exists: true } provider)
        {
            section.Complain(
                "auth-provider",
                $"({provider.Text("name") ?? "unnamed"}) was removed from Kubernetes in 1.26; use an exec plugin, such as "
                    + "gke-gcloud-auth-plugin, kubelogin or kubectl oidc-login"
            );
        }

        var certificate = PemField.Read(section, "client-certificate", folder);
        var key = PemField.Read(section, "client-key", folder);
        CheckPair(section, certificate, key);
        var tokenFile = TokenFile(section, folder);
        var token = section.Text("token");
        var username = section.Text("username");
        var exec = Exec(section.Section("exec"), folder);
        CheckOneMethod(section, token ?? tokenFile, username, exec);
        if (token is not null && token.Any(c => c is <= ' ' or > '~'))
        {
            section.Complain("token", "holds characters that no token has (blanks or line breaks); copy it again");
        }

        var user = section.Text("as");
        var groups = section.Texts("as-groups");
        if (user is null && (groups.Count > 0 || section.Text("as-uid") is not null))
        {
            section.Complain("as", "is missing; it is required with as-groups and as-uid");
        }

        return new()
        {
            ClientCertificatePem = certificate?.Text,
            ClientKeyPem = key?.Text,
            Token = token,
            TokenFile = tokenFile,
            Username = username,
            Password = section.Text("password"),
            Exec = exec,
            ImpersonateUser = user,
            ImpersonateUid = section.Text("as-uid"),
            ImpersonateGroups = groups,
        };
    }

    private static void CheckPair(YamlSection section, PemField? certificate, PemField? key)
    {
        if (certificate is not null && key is not null)
        {
            if (PemCheck.Pair(certificate.Text, key.Text) is { } wrong)
            {
                section.Complain(certificate.Field, wrong);
            }
        }
        else if (certificate is not null && !HasAny(section, "client-key"))
        {
            section.Complain("client-key", "is missing; it is required with client-certificate");
        }
        else if (key is not null && !HasAny(section, "client-certificate"))
        {
            section.Complain("client-certificate", "is missing; it is required with client-key");
        }
    }

    private static bool HasAny(YamlSection section, string field) =>
        section.Text(field) is not null || section.Text($"{field}-data") is not null;

    private static void CheckOneMethod(YamlSection section, string? token, string? username, ExecPlugin? exec)
    {
        List<string> methods = [];
        if (token is not null)
        {
            methods.Add("token");
        }

        if (username is not null)
        {
            methods.Add("username");
        }

        if (exec is not null)
        {
            methods.Add("exec");
        }

        if (methods.Count > 1)
        {
            section.Complain("", $"has more than one way to sign in ({string.Join(", ", methods)}); keep one");
        }
    }

    private static string? TokenFile(YamlSection section, string folder)
    {
        if (section.Text("tokenFile") is not { } path)
        {
            return null;
        }

        var full = Path.GetFullPath(path, Path.GetFullPath(folder));
        if (!File.Exists(full))
        {
            section.Complain("tokenFile", $"cannot be used: the file {full} does not exist");
        }

        return full;
    }

    private static ExecPlugin? Exec(YamlSection section, string folder)
    {
        if (!section.Exists)
        {
            return null;
        }

        var version = section.Text("apiVersion");
        if (version is not ("client.authentication.k8s.io/v1" or "client.authentication.k8s.io/v1beta1"))
        {
            section.Complain("apiVersion", "must be client.authentication.k8s.io/v1 or v1beta1; update the plugin's configuration");
        }

        var command = section.Text("command");
        if (command is null)
        {
            section.Complain("command", "is missing; add the program that gives the credentials");
        }
        else if (!Path.IsPathRooted(command) && command.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            command = Path.GetFullPath(command, Path.GetFullPath(folder));
        }

        if (section.Text("interactiveMode") == "Always")
        {
            section.Complain(
                "interactiveMode",
                "is Always, but this program has no terminal; use IfAvailable and sign in with the plugin beforehand"
            );
        }

        Dictionary<string, string> environment = [];
        foreach (var variable in section.List("env"))
        {
            if (variable.Text("name") is { } name)
            {
                environment[name] = variable.Text("value") ?? "";
            }
        }

        return command is null || version is null
            ? null
            : new()
            {
                ApiVersion = version,
                Command = command,
                Arguments = section.Texts("args"),
                Environment = environment,
                InstallHint = section.Text("installHint"),
                ProvideClusterInfo = section.Flag("provideClusterInfo"),
            };
    }
}
