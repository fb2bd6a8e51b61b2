using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kube.Client;

/// <summary>Finds, reads and merges kubeconfig files.</summary>
/// <remarks>
/// Only what the chosen context uses is checked: a broken entry of another cluster does not keep anybody from working, as with kubectl.
/// </remarks>
internal static class KubeConfigLoader
{
    private const int MaxFileBytes = 4 << 20;

    public static KubeConfig Load(KubeConfigEnvironment environment, string? context)
    {
        if (environment.Variable("KUBECONFIG") is { Length: > 0 } list)
        {
            var paths = list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return LoadFiles([.. paths.Distinct()], context, missingIsError: false);
        }

        var home = Path.Combine(environment.Home, ".kube", "config");
        if (environment.Home.Length > 0 && File.Exists(home))
        {
            return LoadFiles([home], context, missingIsError: true);
        }

        if (environment.Variable("KUBERNETES_SERVICE_HOST") is { Length: > 0 })
        {
            return InCluster(environment);
        }

        throw new KubeConfigException([
            $"KUBECONFIG is not set, {home} does not exist, and this is not a pod (KUBERNETES_SERVICE_HOST is not set). Set KUBECONFIG to "
                + "the path of a kubeconfig file.",
        ]);
    }

    public static KubeConfig LoadFiles(IReadOnlyList<string> paths, string? context, bool missingIsError)
    {
        List<string> problems = [];
        List<(YamlSection Root, string Folder)> files = [];
        foreach (var path in paths)
        {
            if (!missingIsError && !File.Exists(path) && !Directory.Exists(path))
            {
                continue;
            }

            var full = Path.GetFullPath(path);
            if (ReadText(full, full, "", problems) is { } text && YamlReading.Read(text, full, problems) is { } root)
            {
                files.Add((root, Path.GetDirectoryName(full) ?? "."));
            }
        }

        if (files.Count == 0 && problems.Count == 0)
        {
            problems.Add(
                $"none of the files of KUBECONFIG exists ({string.Join(", ", paths)}); correct the variable or create one of them."
            );
        }

        return problems.Count > 0 ? throw new KubeConfigException(problems) : Resolve(files, context, problems);
    }

    public static KubeConfig Parse(string text, string source, string folder, string? context)
    {
        List<string> problems = [];
        return YamlReading.Read(text, source, problems) is { } root
            ? Resolve([(root, folder)], context, problems)
            : throw new KubeConfigException(problems);
    }

    public static KubeConfig InCluster(KubeConfigEnvironment environment)
    {
        List<string> problems = [];
        var host = environment.Variable("KUBERNETES_SERVICE_HOST");
        var port = environment.Variable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port))
        {
            problems.Add(
                "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must both be set; they are in every pod. "
                    + "Outside of a cluster set KUBECONFIG."
            );
        }
        else if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            problems.Add("KUBERNETES_SERVICE_PORT must be a port number.");
        }

        var tokenFile = Path.Combine(environment.ServiceAccountFolder, "token");
        var caFile = Path.Combine(environment.ServiceAccountFolder, "ca.crt");
        var remedy = "; mount a service account into the pod (automountServiceAccountToken: true)";
        ReadText(tokenFile, "service account token", remedy, problems);
        var ca = ReadText(caFile, "service account CA", remedy, problems);
        if (ca is not null && PemCheck.Certificates(ca) is { } wrong)
        {
            problems.Add($"service account CA {caFile}: {wrong}.");
        }

        var namespaceFile = Path.Combine(environment.ServiceAccountFolder, "namespace");
        var ns = File.Exists(namespaceFile) ? ReadText(namespaceFile, "service account namespace", "", problems)?.Trim() : null;
        var literal =
            IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host;
        if (!Uri.TryCreate($"https://{literal}:{port}", UriKind.Absolute, out var server) && problems.Count == 0)
        {
            problems.Add("KUBERNETES_SERVICE_HOST must be a host name or an address.");
        }

        return problems.Count > 0
            ? throw new KubeConfigException(problems)
            : new KubeConfig
            {
                Server = server!,
                Context = "in-cluster",
                Namespace = string.IsNullOrEmpty(ns) ? "default" : ns,
                CertificateAuthorityPem = ca,
                Credentials = new() { TokenFile = tokenFile },
            };
    }

    private static KubeConfig Resolve(List<(YamlSection Root, string Folder)> files, string? wanted, List<string> problems)
    {
        var first = files[0].Root.File;
        var name = wanted ?? files.Select(f => f.Root.Text("current-context")).FirstOrDefault(c => c is not null);
        if (name is null)
        {
            Fail(problems, $"{first}: current-context is not set; set it (kubectl config use-context) or name a context.");
        }

        if (Find(files, "contexts", "context", name!) is not { } context)
        {
            Fail(problems, $"{first}: there is no context \"{name}\"{Known(files, "contexts")}.");
            return null!;
        }

        var clusterName = Required(context.Section, "cluster");
        var cluster = clusterName is null ? null : Find(files, "clusters", "cluster", clusterName);
        if (clusterName is not null && cluster is null)
        {
            context.Section.Complain("cluster", $"names the cluster \"{clusterName}\", which no file has{Known(files, "clusters")}");
        }

        var userName = context.Section.Text("user");
        var user = userName is null ? null : Find(files, "users", "user", userName);
        if (userName is not null && user is null)
        {
            context.Section.Complain("user", $"names the user \"{userName}\", which no file has{Known(files, "users")}");
        }

        var config = cluster is { } c ? ClusterSection.Read(c.Section, c.Folder) : null;
        var credentials = user is { } u ? UserSection.Read(u.Section, u.Folder) : KubeCredentials.None;
        if (problems.Count > 0 || config is null)
        {
            throw new KubeConfigException(problems);
        }

        return config with
        {
            Context = name,
            Namespace = context.Section.Text("namespace") ?? "default",
            Credentials = credentials,
        };
    }

    private static void Fail(List<string> problems, string problem)
    {
        problems.Add(problem);
        throw new KubeConfigException(problems);
    }

    private static string? Required(YamlSection section, string field)
    {
        var value = section.Text(field);
        if (value is null)
        {
            section.Complain(field, "is missing; add it");
        }

        return value;
    }

    private static (YamlSection Section, string Folder)? Find(
        List<(YamlSection Root, string Folder)> files,
        string list,
        string item,
        string name
    )
    {
        foreach (var (root, folder) in files)
        {
            foreach (var entry in root.List(list))
            {
                if (entry.Text("name") == name)
                {
                    return (entry.Section(item).Renamed($"{list}[name={name}].{item}"), folder);
                }
            }
        }

        return null;
    }

    private static string Known(List<(YamlSection Root, string Folder)> files, string list)
    {
        var names = files.SelectMany(f => f.Root.List(list)).Select(e => e.Text("name")).OfType<string>().Distinct().Take(20).ToList();
        return names.Count == 0 ? "; there are none" : $"; known are {string.Join(", ", names)}";
    }

    /// <summary>The text of a file, or null with a problem noted.</summary>
    internal static string? ReadText(string path, string what, string remedy, List<string> problems)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                problems.Add($"{what}: the file {path} is larger than {MaxFileBytes >> 20} MiB{remedy}.");
                return null;
            }

            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var reason = e is FileNotFoundException or DirectoryNotFoundException
                ? "does not exist"
                : "cannot be read (a folder, or no permission)";
            problems.Add(what == path ? $"{path} {reason}{remedy}." : $"{what}: the file {path} {reason}{remedy}.");
            return null;
        }
    }
}
