using System.Net;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>Checks options and turns them into what blueprints are made from.</summary>
internal sealed class OptionsChecker
{
    private readonly List<string> _problems;

    private OptionsChecker(IEnumerable<string> problems) => _problems = [.. problems];

    /// <summary>Checks everything and makes the settings.</summary>
    /// <param name="options">The options.</param>
    /// <param name="ownNamespace">Namespace that the operator itself is in: of its kubeconfig's context, or of its pod.</param>
    /// <param name="earlier">Problems found before, told together with these.</param>
    /// <exception cref="OperatorConfigurationException">Something is wrong; all of it is in the message.</exception>
    internal static BlueprintSettings Check(OperatorOptions options, string ownNamespace, IReadOnlyList<string>? earlier = null)
    {
        var checker = new OptionsChecker(earlier ?? []);
        var settings = checker.Make(options, ownNamespace);
        return checker._problems.Count == 0 ? settings! : throw new OperatorConfigurationException(checker._problems);
    }

    private BlueprintSettings? Make(OperatorOptions options, string ownNamespace)
    {
        var origin = Origin(options.PublicOrigin);
        Domain(options.WorkspaceDomain);
        PathPrefix(options);
        Label("Namespace", options.Namespace, mayBeEmpty: true);
        Label("Edge:Namespace", options.Edge.Namespace, mayBeEmpty: true);
        Label("Edge:Service", options.Edge.Service, mayBeEmpty: false);
        Label("PolicyName", options.PolicyName, mayBeEmpty: false);
        Port("Edge:Port", options.Edge.Port, 1);
        Port("Edge:TargetPort", options.Edge.TargetPort, 1);
        Port("Management:Port", options.Management.Port, 0);
        if (!IPAddress.TryParse(options.Management.Address, out _))
        {
            _problems.Add($"Management:Address is '{options.Management.Address}'; use an IP address, such as 0.0.0.0, :: or 127.0.0.1.");
        }

        if (options.Workers is < 1 or > 64)
        {
            _problems.Add($"Workers is {options.Workers}; use 1 to 64.");
        }

        if (options.ImagePullPolicy is not ("" or "Always" or "IfNotPresent" or "Never"))
        {
            _problems.Add($"ImagePullPolicy is '{options.ImagePullPolicy}'; use Always, IfNotPresent or Never, or leave it out.");
        }

        if (options.Sweeper.IntervalSeconds is not (0 or >= 10 and <= 604800))
        {
            _problems.Add($"Sweeper:IntervalSeconds is {options.Sweeper.IntervalSeconds}; use 10 to 604800 (a week), or 0 for never.");
        }

        if (options.Sweeper.MinAgeSeconds is < 60 or > 31536000)
        {
            _problems.Add($"Sweeper:MinAgeSeconds is {options.Sweeper.MinAgeSeconds}; use 60 to 31536000 (a year).");
        }

        foreach (var problem in PolicyCheck.Check(options.Policy, new BerthPolicySpec()).Problems)
        {
            _problems.Add($"Policy: {problem.Field}: {problem.Message}.");
        }

        if (options.LeaderElection.Enabled)
        {
            Label("LeaderElection:Lease", options.LeaderElection.Lease, mayBeEmpty: false);
            Label("LeaderElection:Namespace", options.LeaderElection.Namespace, mayBeEmpty: true);
        }

        var edge = new EdgeService(
            options.Edge.Namespace.Length > 0
                ? options.Edge.Namespace : ownNamespace, options.Edge.Service, options.Edge.Port, options.Edge.TargetPort);
        var network = new NetworkSettings
        {
            Edge = new PodPeer { PodLabels = LabelList("Edge:PodLabels", options.Edge.PodLabels) },
            Traefik = new PodPeer
            {
                NamespaceLabels = new Dictionary<string, string>(),
                PodLabels = LabelList("Traefik:PodLabels",
                options.Traefik.PodLabels)
            },
            Dns = new PodPeer
            {
                NamespaceLabels = new Dictionary<string, string>(),
                PodLabels = LabelList("Network:DnsLabels",
                options.Network.DnsLabels)
            },
            AllowedSources = Networks("Network:AllowedSources", options.Network.AllowedSources),
            DeniedDestinations = Networks("Network:DeniedDestinations", options.Network.DeniedDestinations),
        };
        var jwks = Url("Edge:JwksUrl", options.Edge.JwksUrl, edge);
        var proxy = Url("Edge:ProxyUrl", options.Edge.ProxyUrl, edge);
        var forwardAuth = Url("Edge:ForwardAuthUrl", options.Edge.ForwardAuthUrl, edge);
        var entryPoints = Split(options.Traefik.EntryPoints);
        var backup = BackupOptionsReader.Check(options.Backup, NullIfEmpty(options.ImagePullPolicy), _problems);
        if (origin is null || _problems.Count > 0)
        {
            return null;
        }

        return new BlueprintSettings
        {
            Urls = new WorkspaceUrls(origin, options.WorkspaceDomain, options.PathPrefix),
            IdentityIssuer = origin.GetLeftPart(UriPartial.Authority),
            IdentityJwks = jwks,
            ProxyUrl = proxy,
            Routing = options.Routing,
            Edge = edge,
            ForwardAuthAddress = forwardAuth,
            EntryPoints = entryPoints,
            Tls = options.Traefik.Tls ?? origin.Scheme == Uri.UriSchemeHttps
                ? new IngressRouteTls
                {
                    SecretName = NullIfEmpty(options.Traefik.TlsSecret),
                    CertResolver = NullIfEmpty(options.Traefik.CertResolver)
                }
                : null,
            ImagePullPolicy = NullIfEmpty(options.ImagePullPolicy),
            Network = network,
            Backup = backup,
        };
    }

    private void PathPrefix(OperatorOptions options)
    {
        if (options.PathPrefix && options.Routing != RoutingMode.None)
        {
            _problems.Add($"Routing is {options.Routing}, and PathPrefix is on: routes of workspaces are by host, and Traefik would not "
                + "rewrite what they answer. Set Routing to None, and lead the host WorkspaceDomain to the edge "
                + "once, by a route of your own.");
        }
    }

    private Uri? Origin(string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https"
            && uri.PathAndQuery == "/" && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0
            && !text.EndsWith('/'))
        {
            return uri;
        }

        _problems.Add(text.Length == 0
            ? "PublicOrigin is missing; set the origin of the edge, such as https://berth.example.com."
            : $"PublicOrigin is '{text}'; use scheme, host and port only, such as https://berth.example.com or http://localhost:8080.");
        return null;
    }

    private void Domain(string text)
    {
        // 189: a workspace's label, a dot and the domain must fit into the 253 characters of a host name.
        if (text.Length is > 0 and <= 189 && text.Split('.').All(l => l.Length is > 0 and <= 63 && IsLabel(l)))
        {
            return;
        }

        _problems.Add(text.Length == 0
            ? "WorkspaceDomain is missing; set the domain below which workspaces are served, such as workspaces.example.dev, or localhost."
            : $"WorkspaceDomain is '{text}'; use a domain in lower case without scheme and port, such as workspaces.example.dev.");
    }

    private void Label(string key, string text, bool mayBeEmpty)
    {
        if (!(text.Length == 0 ? mayBeEmpty : text.Length <= 63 && IsLabel(text)))
        {
            _problems.Add($"{key} is '{text}'; use a Kubernetes name of at most 63 lower-case letters, digits and dashes.");
        }
    }

    private static bool IsLabel(string text) =>
        text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && text[0] != '-' && text[^1] != '-';

    private void Port(string key, int port, int least)
    {
        if (port < least || port > 65535)
        {
            _problems.Add($"{key} is {port}; use {least} to 65535.");
        }
    }

    private string Url(string key, string text, EdgeService edge)
    {
        // A port that is no port has been told already.
        var port = edge.Port is > 0 and <= 65535 ? edge.Port : 80;
        var url = text
            .Replace("{namespace}", edge.Namespace, StringComparison.Ordinal)
            .Replace("{service}", edge.Name, StringComparison.Ordinal)
            .Replace("{port}", port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            _problems.Add($"{key} is '{text}'; use an http or https URL. {{namespace}}, {{service}} and {{port}} are filled in.");
        }

        return url;
    }

    private Dictionary<string, string> LabelList(string key, string text)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Split(text))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at < 1 || at == pair.Length - 1 || !labels.TryAdd(pair[..at], pair[(at + 1)..]))
            {
                _problems.Add($"{key} is '{text}'; use name=value pairs, separated by commas, each name once.");
                return labels;
            }
        }

        if (labels.Count == 0)
        {
            // An empty selector would let every pod in.
            _problems.Add($"{key} is empty, which would mean every pod; name at least one label.");
        }

        return labels;
    }

    private List<string> Networks(string key, string text)
    {
        var networks = Split(text);
        foreach (var network in networks)
        {
            if (!Cidr.TryParse(network, out _, out var problem))
            {
                _problems.Add($"{key} holds '{network}', which {problem}.");
            }
        }

        return networks;
    }

    private static List<string> Split(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
