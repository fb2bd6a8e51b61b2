namespace Kube.Client;

/// <summary>
/// How the client says who it is. At most one kind of header credential is in force; a client certificate may come with it.
/// </summary>
public sealed record KubeCredentials
{
    /// <summary>No credentials: the API treats the caller as anonymous.</summary>
    public static KubeCredentials None { get; } = new();

    /// <summary>PEM of the client certificate, leaf first.</summary>
    public string? ClientCertificatePem { get; init; }

    /// <summary>PEM of the unencrypted private key of <see cref="ClientCertificatePem"/>.</summary>
    public string? ClientKeyPem { get; init; }

    /// <summary>Bearer token.</summary>
    public string? Token { get; init; }

    /// <summary>
    /// File with a bearer token, read again at most once a minute (bound service account tokens rotate about hourly). Wins over
    /// <see cref="Token"/>.
    /// </summary>
    public string? TokenFile { get; init; }

    /// <summary>User of HTTP basic authentication.</summary>
    public string? Username { get; init; }

    /// <summary>Password of HTTP basic authentication.</summary>
    public string? Password { get; init; }

    /// <summary>Program that gives the credentials (client.authentication.k8s.io).</summary>
    public ExecPlugin? Exec { get; init; }

    /// <summary>User to act as.</summary>
    public string? ImpersonateUser { get; init; }

    /// <summary>Uid to act as.</summary>
    public string? ImpersonateUid { get; init; }

    /// <summary>Groups to act as.</summary>
    public IReadOnlyList<string> ImpersonateGroups { get; init; } = [];

    /// <summary>Names the kind of credentials, never a credential.</summary>
    public override string ToString() =>
        Exec is not null ? "exec plugin"
        : TokenFile is not null ? "token file"
        : Token is not null ? "token"
        : Username is not null ? "user and password"
        : ClientCertificatePem is not null ? "client certificate"
        : "none";
}

/// <summary>A credential plugin, as in the <c>exec</c> section of a kubeconfig's user.</summary>
public sealed record ExecPlugin
{
    /// <summary><c>client.authentication.k8s.io/v1</c> or <c>/v1beta1</c>.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>Program: a name looked up in PATH, or a path.</summary>
    public required string Command { get; init; }

    /// <summary>Arguments.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Further environment variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What a person should do when the program is missing.</summary>
    public string? InstallHint { get; init; }

    /// <summary>Tell the program which cluster the credentials are for.</summary>
    public bool ProvideClusterInfo { get; init; }

    /// <summary>Names the program only: arguments and variables may hold secrets.</summary>
    public override string ToString() => $"exec plugin {Command}";
}
