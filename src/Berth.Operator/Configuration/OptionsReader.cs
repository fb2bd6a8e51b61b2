using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Berth.Operator;

/// <summary>
/// Reads <see cref="OperatorOptions"/> by hand: no reflection, and a name that nobody knows (a typing error, most often) is a problem, not
/// silence.
/// </summary>
internal sealed class OptionsReader
{
    private readonly IConfiguration _section;
    private readonly List<string> _problems = [];
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    private OptionsReader(IConfiguration section) => _section = section;

    /// <summary>Reads the section <c>Berth:Operator</c>.</summary>
    /// <returns>The options, and what could not be read.</returns>
    internal static (OperatorOptions Options, IReadOnlyList<string> Problems) Read(IConfiguration configuration)
    {
        var reader = new OptionsReader(configuration.GetSection(OperatorOptions.Section));
        var options = reader.ReadAll();
        reader.FindUnknown();
        return (options, reader._problems);
    }

    private OperatorOptions ReadAll()
    {
        var defaults = new OperatorOptions();
        var (edge, traefik, network, election, management) =
            (defaults.Edge, defaults.Traefik, defaults.Network, defaults.LeaderElection, defaults.Management);
        return new OperatorOptions
        {
            Namespace = Text("Namespace", defaults.Namespace),
            PublicOrigin = Text("PublicOrigin", defaults.PublicOrigin),
            WorkspaceDomain = Text("WorkspaceDomain", defaults.WorkspaceDomain),
            Routing = Routing("Routing", defaults.Routing),
            ImagePullPolicy = Text("ImagePullPolicy", defaults.ImagePullPolicy),
            Workers = Number("Workers", defaults.Workers),
            Edge = new EdgeOptions
            {
                Namespace = Text("Edge:Namespace", edge.Namespace),
                Service = Text("Edge:Service", edge.Service),
                Port = Number("Edge:Port", edge.Port),
                TargetPort = Number("Edge:TargetPort", edge.TargetPort),
                JwksUrl = Text("Edge:JwksUrl", edge.JwksUrl),
                ForwardAuthUrl = Text("Edge:ForwardAuthUrl", edge.ForwardAuthUrl),
                PodLabels = Text("Edge:PodLabels", edge.PodLabels),
            },
            Traefik = new TraefikOptions
            {
                EntryPoints = Text("Traefik:EntryPoints", traefik.EntryPoints),
                Tls = Flag("Traefik:Tls"),
                TlsSecret = Text("Traefik:TlsSecret", traefik.TlsSecret),
                CertResolver = Text("Traefik:CertResolver", traefik.CertResolver),
                PodLabels = Text("Traefik:PodLabels", traefik.PodLabels),
            },
            Network = new NetworkOptions
            {
                DnsLabels = Text("Network:DnsLabels", network.DnsLabels),
                AllowedSources = Text("Network:AllowedSources", network.AllowedSources),
                DeniedDestinations = Text("Network:DeniedDestinations", network.DeniedDestinations),
            },
            LeaderElection = new ElectionOptions
            {
                Enabled = Flag("LeaderElection:Enabled") ?? election.Enabled,
                Lease = Text("LeaderElection:Lease", election.Lease),
                Namespace = Text("LeaderElection:Namespace", election.Namespace),
                Identity = Text("LeaderElection:Identity", election.Identity),
            },
            Backup = BackupOptionsReader.Read(defaults.Backup, Raw, Number, _problems.Add),
            PolicyName = Text("PolicyName", defaults.PolicyName),
            Policy = PolicyOptionsReader.Read(Raw, Number, Flag, Children),
            Sweeper = new SweeperOptions
            {
                IntervalSeconds = Number("Sweeper:IntervalSeconds", defaults.Sweeper.IntervalSeconds),
                MinAgeSeconds = Number("Sweeper:MinAgeSeconds", defaults.Sweeper.MinAgeSeconds),
                DryRun = Flag("Sweeper:DryRun") ?? defaults.Sweeper.DryRun,
            },
            Management = new ManagementOptions
            {
                Address = Text("Management:Address", management.Address),
                Port = Number("Management:Port", management.Port),
            },
        };
    }

    private string? Raw(string key)
    {
        _known.Add(key);
        return _section[key]?.Trim();
    }

    private IEnumerable<string> Children(string key) => _section.GetSection(key).GetChildren().Select(c => c.Key);

    private string Text(string key, string otherwise) => Raw(key) ?? otherwise;

    private int Number(string key, int otherwise) => Number(key) ?? otherwise;

    private int? Number(string key)
    {
        if (Raw(key) is not { Length: > 0 } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        _problems.Add($"{key} is '{text}'; use a whole number.");
        return null;
    }

    private bool? Flag(string key)
    {
        if (Raw(key) is not { Length: > 0 } text)
        {
            return null;
        }

        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        _problems.Add($"{key} is '{text}'; use true or false.");
        return null;
    }

    private RoutingMode Routing(string key, RoutingMode otherwise)
    {
        if (Raw(key) is not { Length: > 0 } text)
        {
            return otherwise;
        }

        // By name only: Enum.TryParse would take numbers, too.
        foreach (var mode in (ReadOnlySpan<RoutingMode>)[RoutingMode.ForwardAuth, RoutingMode.Edge, RoutingMode.None])
        {
            if (string.Equals(text, mode.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                return mode;
            }
        }

        _problems.Add($"{key} is '{text}'; use ForwardAuth, Edge or None.");
        return otherwise;
    }

    private void FindUnknown()
    {
        foreach (var (path, value) in _section.AsEnumerable(makePathsRelative: true))
        {
            if (value is not null && path.Length > 0 && !_known.Contains(path))
            {
                _problems.Add($"{path} is not an option. Known are {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
            }
        }
    }
}
