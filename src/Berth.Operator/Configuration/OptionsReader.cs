using Microsoft.Extensions.Configuration;

namespace Berth.Operator;

/// <summary>
/// Reads <see cref="OperatorOptions"/> by hand: no reflection, and a name that nobody knows (a typing error, most often) is a problem, not
/// silence.
/// </summary>
internal static class OptionsReader
{
    /// <summary>Reads the section <c>Berth:Operator</c>.</summary>
    /// <returns>The options, and what could not be read.</returns>
    internal static (OperatorOptions Options, IReadOnlyList<string> Problems) Read(IConfiguration configuration)
    {
        var source = new OptionSource(configuration.GetSection(OperatorOptions.Section));
        var options = ReadAll(source);
        source.FindUnknown();
        return (options, source.Problems);
    }

    private static OperatorOptions ReadAll(OptionSource source)
    {
        var defaults = new OperatorOptions();
        var (edge, traefik, network, election, management) =
            (defaults.Edge, defaults.Traefik, defaults.Network, defaults.LeaderElection, defaults.Management);
        return new OperatorOptions
        {
            Namespace = source.Text("Namespace", defaults.Namespace),
            PublicOrigin = source.Text("PublicOrigin", defaults.PublicOrigin),
            WorkspaceDomain = source.Text("WorkspaceDomain", defaults.WorkspaceDomain),
            PathPrefix = source.Flag("PathPrefix") ?? defaults.PathPrefix,
            Routing = source.Choice("Routing", defaults.Routing),
            ImagePullPolicy = source.Text("ImagePullPolicy", defaults.ImagePullPolicy),
            Workers = source.Number("Workers", defaults.Workers),
            Edge = new EdgeOptions
            {
                Namespace = source.Text("Edge:Namespace", edge.Namespace),
                Service = source.Text("Edge:Service", edge.Service),
                Port = source.Number("Edge:Port", edge.Port),
                TargetPort = source.Number("Edge:TargetPort", edge.TargetPort),
                JwksUrl = source.Text("Edge:JwksUrl", edge.JwksUrl),
                ProxyUrl = source.Text("Edge:ProxyUrl", edge.ProxyUrl),
                ForwardAuthUrl = source.Text("Edge:ForwardAuthUrl", edge.ForwardAuthUrl),
                PodLabels = source.Text("Edge:PodLabels", edge.PodLabels),
            },
            Traefik = new TraefikOptions
            {
                EntryPoints = source.Text("Traefik:EntryPoints", traefik.EntryPoints),
                Tls = source.Flag("Traefik:Tls"),
                TlsSecret = source.Text("Traefik:TlsSecret", traefik.TlsSecret),
                CertResolver = source.Text("Traefik:CertResolver", traefik.CertResolver),
                PodLabels = source.Text("Traefik:PodLabels", traefik.PodLabels),
            },
            Network = new NetworkOptions
            {
                DnsLabels = source.Text("Network:DnsLabels", network.DnsLabels),
                AllowedSources = source.Text("Network:AllowedSources", network.AllowedSources),
                DeniedDestinations = source.Text("Network:DeniedDestinations", network.DeniedDestinations),
            },
            LeaderElection = new ElectionOptions
            {
                Enabled = source.Flag("LeaderElection:Enabled") ?? election.Enabled,
                Lease = source.Text("LeaderElection:Lease", election.Lease),
                Namespace = source.Text("LeaderElection:Namespace", election.Namespace),
                Identity = source.Text("LeaderElection:Identity", election.Identity),
            },
            Backup = BackupOptionsReader.Read(defaults.Backup, source),
            PolicyName = source.Text("PolicyName", defaults.PolicyName),
            Policy = PolicyOptionsReader.Read(source),
            Sweeper = new SweeperOptions
            {
                IntervalSeconds = source.Number("Sweeper:IntervalSeconds", defaults.Sweeper.IntervalSeconds),
                MinAgeSeconds = source.Number("Sweeper:MinAgeSeconds", defaults.Sweeper.MinAgeSeconds),
                DryRun = source.Flag("Sweeper:DryRun") ?? defaults.Sweeper.DryRun,
            },
            Management = new ManagementOptions
            {
                Address = source.Text("Management:Address", management.Address),
                Port = source.Number("Management:Port", management.Port),
            },
        };
    }
}
