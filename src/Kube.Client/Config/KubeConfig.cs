namespace Kube.Client;

/// <summary>How to reach one cluster as one user: what a context of a kubeconfig, or a pod's service account, comes down to.</summary>
/// <remarks>Certificates are read when the configuration is loaded; a token file stays a path, because its content rotates.</remarks>
public sealed record KubeConfig
{
    /// <summary>URL of the API; a path (as Rancher has) is kept as a prefix.</summary>
    public required Uri Server { get; init; }

    /// <summary>Namespace of the context.</summary>
    /// <value>The default value is <c>default</c>.</value>
    public string Namespace { get; init; } = "default";

    /// <summary>Name of the context, <c>in-cluster</c>, or null for a configuration made in code.</summary>
    public string? Context { get; init; }

    /// <summary>PEM bundle of the roots that are trusted for this server and no others; null: those of the system.</summary>
    public string? CertificateAuthorityPem { get; init; }

    /// <summary>Trust any server. Anybody on the way can then read the credentials.</summary>
    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>Name that the server's certificate must have, where it is not the host of <see cref="Server"/>; also sent as SNI.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>Proxy (http, https or socks5); null: that of the environment, and none for loopback addresses.</summary>
    public Uri? ProxyUrl { get; init; }

    /// <summary>Who the client is.</summary>
    public KubeCredentials Credentials { get; init; } = KubeCredentials.None;

    /// <summary>
    /// Loads as kubectl does: the files of KUBECONFIG (merged, first wins), else ~/.kube/config, else the service account of the pod.
    /// </summary>
    /// <param name="context">Context to take; null: the file's current context.</param>
    /// <exception cref="KubeConfigException">Nothing is there, or what is there cannot be used.</exception>
    public static KubeConfig Load(string? context = null) => KubeConfigLoader.Load(KubeConfigEnvironment.Process, context);

    /// <summary>Loads one or more files; of entries with the same name the first wins.</summary>
    /// <exception cref="KubeConfigException">A file is missing, or cannot be used.</exception>
    public static KubeConfig LoadFiles(IReadOnlyList<string> paths, string? context = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return KubeConfigLoader.LoadFiles(paths, context, missingIsError: true);
    }

    /// <summary>Loads one file.</summary>
    /// <exception cref="KubeConfigException">The file is missing, or cannot be used.</exception>
    public static KubeConfig LoadFile(string path, string? context = null) => LoadFiles([path], context);

    /// <summary>Reads the text of a kubeconfig (YAML or JSON). Relative paths in it are taken from the working folder.</summary>
    /// <exception cref="KubeConfigException">The text cannot be used.</exception>
    public static KubeConfig Parse(string text, string? context = null) => KubeConfigLoader.Parse(text, "the given text", ".", context);

    /// <summary>The service account of the pod that this program runs in.</summary>
    /// <exception cref="KubeConfigException">The program does not run in a pod, or its service account is not mounted.</exception>
    public static KubeConfig InCluster() => KubeConfigLoader.InCluster(KubeConfigEnvironment.Process);

    /// <summary>Server and kind of credentials; no credential.</summary>
    public override string ToString() => $"{Context ?? "configuration"} at {Server} with {Credentials}";
}
