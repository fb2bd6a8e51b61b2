using Berth.Resources;

namespace Berth.Operator;

/// <summary>How people's requests reach a workspace.</summary>
public enum RoutingMode
{
    /// <summary>Traefik leads straight to a ready workspace and asks the edge about each request; the default.</summary>
    ForwardAuth,

    /// <summary>Traefik leads to the edge, which forwards.</summary>
    Edge,

    /// <summary>No routes are written: the edge itself is what people reach.</summary>
    None,
}

/// <summary>What an installation decides for all workspaces: the constant half of what <see cref="Blueprint.For"/> is made from.</summary>
public sealed record BlueprintSettings
{
    /// <summary>Hosts and origins.</summary>
    public required WorkspaceUrls Urls { get; init; }

    /// <summary>Issuer of the identity header: public origin of the edge, no slash at the end.</summary>
    public required string IdentityIssuer { get; init; }

    /// <summary>URL of the edge's key set as it is reachable from pods.</summary>
    public required string IdentityJwks { get; init; }

    /// <summary>URL below which the edge forwards to APIs, as it is reachable from pods; no slash at the end.</summary>
    public string ProxyUrl { get; init; } = "";

    /// <summary>How requests reach a workspace where Traefik's kinds are served.</summary>
    public RoutingMode Routing { get; init; }

    /// <summary>The edge inside the cluster.</summary>
    public required EdgeService Edge { get; init; }

    /// <summary>URL that Traefik asks about each request.</summary>
    public required string ForwardAuthAddress { get; init; }

    /// <summary>Entry points of Traefik; empty: its default ones.</summary>
    public IReadOnlyList<string> EntryPoints { get; init; } = [];

    /// <summary>TLS of the routes; null: plain HTTP.</summary>
    public IngressRouteTls? Tls { get; init; }

    /// <summary>Pull policy of templates that name none; null: the cluster's rule.</summary>
    public string? ImagePullPolicy { get; init; }

    /// <summary>Backups and restores.</summary>
    public BackupSettings Backup { get; init; } = new();

    /// <summary>Who may reach workspaces, and what they may reach.</summary>
    public NetworkSettings Network { get; init; } = new();
}

/// <summary>The edge's Service.</summary>
/// <param name="Namespace">Namespace of the edge.</param>
/// <param name="Name">Name of its Service.</param>
/// <param name="Port">Port of the Service.</param>
/// <param name="TargetPort">Port of its pods, which is what network policies see.</param>
public sealed record EdgeService(string Namespace, string Name, int Port, int TargetPort);

/// <summary>Pods by namespace and labels.</summary>
public sealed record PodPeer
{
    /// <summary>Labels of the namespace; null: the workspace's own namespace; empty: all namespaces.</summary>
    public IReadOnlyDictionary<string, string>? NamespaceLabels { get; init; }

    /// <summary>Labels of the pods.</summary>
    public required IReadOnlyDictionary<string, string> PodLabels { get; init; }
}

/// <summary>Who may reach workspaces, and what they may reach.</summary>
public sealed record NetworkSettings
{
    /// <summary>The edge's pods.</summary>
    public PodPeer Edge { get; init; } = new() { PodLabels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = "berth-edge" } };

    /// <summary>Traefik's pods, wherever they are.</summary>
    public PodPeer Traefik { get; init; } = new()
    {
        NamespaceLabels = new Dictionary<string, string>(),
        PodLabels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = "traefik" },
    };

    /// <summary>
    /// The cluster's name servers. In all namespaces, since the label with the name of a namespace came with Kubernetes 1.21.
    /// </summary>
    public PodPeer Dns { get; init; } = new()
    {
        NamespaceLabels = new Dictionary<string, string>(),
        PodLabels = new Dictionary<string, string> { ["k8s-app"] = "kube-dns" },
    };

    /// <summary>Further networks (CIDR) that may reach workspaces, such as nodes an edge outside of the cluster comes through.</summary>
    public IReadOnlyList<string> AllowedSources { get; init; } = [];

    /// <summary>Further networks (CIDR) that workspaces must not reach, such as a public address of the API server.</summary>
    public IReadOnlyList<string> DeniedDestinations { get; init; } = [];
}
