using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// Configuration of the operator: section <c>Berth:Operator</c> of the configuration file, or environment variables such as
/// <c>BERTH__OPERATOR__WORKSPACEDOMAIN</c>, which win. Checked once at start; every problem is named in one message.
/// </summary>
public sealed record OperatorOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Berth:Operator";

    /// <summary>Namespace that is looked after; empty (the default) for all.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>
    /// Origin people use to reach the edge: scheme, host, and port if not the scheme's own. Workspaces have the same scheme and port.
    /// </summary>
    /// <value>No default; example <c>https://berth.example.com</c>.</value>
    public string PublicOrigin { get; init; } = "";

    /// <summary>Workspaces are served one label below this domain.</summary>
    /// <value>No default; example <c>workspaces.example.dev</c>, or <c>localhost</c> on one machine.</value>
    public string WorkspaceDomain { get; init; } = "";

    /// <summary>
    /// Whether workspaces are folders of one host, <c>WorkspaceDomain/w/NAME/</c>, as the edge has to be told too
    /// (<c>Berth:Edge:PathPrefix:Enabled</c>).
    /// Default false: a host each. Needs <see cref="Routing"/> None, since the edge alone rewrites what such workspaces answer.
    /// </summary>
    public bool PathPrefix { get; init; }

    /// <summary>How requests reach a workspace where Traefik is. Default ForwardAuth.</summary>
    public RoutingMode Routing { get; init; }

    /// <summary>The edge inside the cluster.</summary>
    public EdgeOptions Edge { get; init; } = new();

    /// <summary>Traefik.</summary>
    public TraefikOptions Traefik { get; init; } = new();

    /// <summary>Pull policy for templates that name none: Always, IfNotPresent or Never. Default: empty, the cluster's rule.</summary>
    public string ImagePullPolicy { get; init; } = "";

    /// <summary>Network policies of workspaces.</summary>
    public NetworkOptions Network { get; init; } = new();

    /// <summary>Backups and restores.</summary>
    public BackupOptions Backup { get; init; } = new();

    /// <summary>Which of several operators works.</summary>
    public ElectionOptions LeaderElection { get; init; } = new();

    /// <summary>
    /// Name of the BerthPolicy that counts. Default <c>default</c>; another one for a second operator in the same cluster.
    /// </summary>
    public string PolicyName { get; init; } = BerthPolicy.DefaultName;

    /// <summary>What the installation allows and costs where that BerthPolicy is not there or cannot be read.</summary>
    public BerthPolicySpec Policy { get; init; } = new();

    /// <summary>What becomes of objects that belong to no workspace.</summary>
    public SweeperOptions Sweeper { get; init; } = new();

    /// <summary>The port for probes and metrics.</summary>
    public ManagementOptions Management { get; init; } = new();

    /// <summary>Workspaces worked on at a time, 1 to 64. Default 4: a look mostly waits for the API.</summary>
    public int Workers { get; init; } = 4;
}

/// <summary>What becomes of objects that bear our labels and belong to no workspace.</summary>
public sealed record SweeperOptions
{
    /// <summary>Seconds between two looks; 0 never. Default 3600: orphans are rare, and do no harm for an hour.</summary>
    public int IntervalSeconds { get; init; } = 3600;

    /// <summary>Younger objects are left alone. Default 600, longer than any cache is behind.</summary>
    public int MinAgeSeconds { get; init; } = 600;

    /// <summary>What holds data is told, not deleted. Default true.</summary>
    public bool DryRun { get; init; } = true;
}

/// <summary>The edge inside the cluster.</summary>
public sealed record EdgeOptions
{
    /// <summary>Namespace of the edge's Service. Default: empty, the operator's own namespace.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Name of the edge's Service. Default berth-edge.</summary>
    public string Service { get; init; } = "berth-edge";

    /// <summary>Port of the Service. Default 80.</summary>
    public int Port { get; init; } = 80;

    /// <summary>Port of the edge's pods. Default 8080.</summary>
    public int TargetPort { get; init; } = 8080;

    /// <summary>URL of the edge's key set as pods reach it; <c>{namespace}</c>, <c>{service}</c> and <c>{port}</c> are filled in.</summary>
    public string JwksUrl { get; init; } = "http://{service}.{namespace}.svc:{port}/.well-known/workspace-identity/jwks.json";

    /// <summary>
    /// URL below which the edge forwards to APIs, as pods reach it; the same places are filled in. Plain http never leaves the cluster.
    /// </summary>
    public string ProxyUrl { get; init; } = "http://{service}.{namespace}.svc:{port}/proxy";

    /// <summary>
    /// URL below which Traefik asks about each request, by the workspace's name; the same places are filled in.
    /// </summary>
    public string ForwardAuthUrl { get; init; } = "http://{service}.{namespace}.svc:{port}/auth/forward";

    /// <summary>Labels of the edge's pods, for network policies: <c>name=value,name=value</c>.</summary>
    public string PodLabels { get; init; } = "app.kubernetes.io/name=berth-edge";
}

/// <summary>Traefik.</summary>
public sealed record TraefikOptions
{
    /// <summary>Entry points of the routes, separated by commas. Default: empty, Traefik's default ones.</summary>
    public string EntryPoints { get; init; } = "";

    /// <summary>TLS on the routes. Default: true when the public origin is https.</summary>
    public bool? Tls { get; init; }

    /// <summary>Secret with the certificate, in the workspace's namespace. Default: empty, Traefik's default certificate.</summary>
    public string TlsSecret { get; init; } = "";

    /// <summary>Certificate resolver of Traefik. Default: none.</summary>
    public string CertResolver { get; init; } = "";

    /// <summary>Labels of Traefik's pods, in any namespace, for network policies.</summary>
    public string PodLabels { get; init; } = "app.kubernetes.io/name=traefik";
}

/// <summary>Network policies of workspaces.</summary>
public sealed record NetworkOptions
{
    /// <summary>Labels of the name servers' pods, in any namespace.</summary>
    public string DnsLabels { get; init; } = "k8s-app=kube-dns";

    /// <summary>
    /// Networks (CIDR, separated by commas) that may reach workspaces besides the edge and Traefik: nodes, where the edge runs outside.
    /// </summary>
    public string AllowedSources { get; init; } = "";

    /// <summary>
    /// Networks (CIDR, separated by commas) that workspaces must not reach besides the private ones: a public address of the API server.
    /// </summary>
    public string DeniedDestinations { get; init; } = "";
}

/// <summary>Which of several operators works.</summary>
public sealed record ElectionOptions
{
    /// <summary>Compete for a Lease. Default true; false only where there is certainly one operator.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Name of the Lease. Default berth-operator.</summary>
    public string Lease { get; init; } = "berth-operator";

    /// <summary>Namespace of the Lease. Default: empty, the operator's own namespace.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>What this operator calls itself; unique. Default: empty, host name and a random part.</summary>
    public string Identity { get; init; } = "";
}

/// <summary>The port for probes and metrics.</summary>
public sealed record ManagementOptions
{
    /// <summary>Address to listen on. Default 0.0.0.0.</summary>
    public string Address { get; init; } = "0.0.0.0";

    /// <summary>Port; 0 takes a free one. Default 8081.</summary>
    public int Port { get; init; } = 8081;
}
