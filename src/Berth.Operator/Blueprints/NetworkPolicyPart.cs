using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The network policy: nothing comes in but from the edge and Traefik, nothing goes out but to name servers, the Internet and the edge's
/// keys.
/// Other workspaces, the API server, private networks and cloud metadata (169.254.169.254) are not among them.
/// </summary>
internal static class NetworkPolicyPart
{
    // RFC 1918, RFC 6598, loopback, link-local with the metadata addresses, multicast and reserved.
    private static readonly string[] PrivateV4 =
        ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4",
            "240.0.0.0/4"];

    // Loopback, NAT64, unique local, link-local, multicast. IPv4-mapped addresses never travel, and the API refuses them here.
    private static readonly string[] PrivateV6 = ["::1/128", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8"];

    internal static NetworkPolicy Make(UserWorkspace workspace, BlueprintSettings settings)
    {
        var network = settings.Network;
        return new NetworkPolicy
        {
            Metadata = Children.Owned(workspace),
            Spec = new NetworkPolicySpec
            {
                PodSelector = new LabelSelector
                {
                    MatchLabels = new Dictionary<string,
                    string>
                    { [Labels.Workspace] = workspace.Metadata.Name! }
                },
                PolicyTypes = ["Ingress", "Egress"],
                Ingress =
                [
                    new NetworkPolicyIngressRule
                    {
                        From = [EdgePeer(workspace, settings), Peer(network.Traefik), .. network.AllowedSources.Select(c => Block(c))],
                        Ports = [new NetworkPolicyPort { Protocol = "TCP", Port = Blueprint.PortName }],
                    },
                ],
                Egress =
                [
                    new NetworkPolicyEgressRule
                    {
                        To = [Peer(network.Dns)],
                        Ports = [new NetworkPolicyPort { Protocol = "UDP", Port = 53 }, new NetworkPolicyPort { Protocol = "TCP",
                            Port = 53 }],
                    },
                    new NetworkPolicyEgressRule
                    {
                        To = [EdgePeer(workspace, settings)],
                        Ports = [new NetworkPolicyPort { Protocol = "TCP", Port = settings.Edge.TargetPort }],
                    },
                    new NetworkPolicyEgressRule
                    {
                        To =
                        [
                            Block("0.0.0.0/0", [.. PrivateV4, .. Denied(network, v6: false)]),
                            Block("::/0", [.. PrivateV6, .. Denied(network, v6: true)]),
                        ],
                    },
                ],
            },
        };
    }

    private static IEnumerable<string> Denied(NetworkSettings network, bool v6) =>
        network.DeniedDestinations.Where(c => c.Contains(':', StringComparison.Ordinal) == v6);

    // The edge's namespace is selected by name only where it is another one: the label with a namespace's name came with Kubernetes 1.21.
    private static NetworkPolicyPeer EdgePeer(UserWorkspace workspace, BlueprintSettings settings) =>
        settings.Network.Edge.NamespaceLabels is null && settings.Edge.Namespace != workspace.Metadata.Namespace
            ? Peer(settings.Network.Edge with
            {
                NamespaceLabels = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = settings.Edge.Namespace },
            })
            : Peer(settings.Network.Edge);

    private static NetworkPolicyPeer Peer(PodPeer peer) => new()
    {
        NamespaceSelector = peer.NamespaceLabels is null
            ? null
            : new LabelSelector { MatchLabels = peer.NamespaceLabels.Count == 0 ? null : peer.NamespaceLabels },
        PodSelector = new LabelSelector { MatchLabels = peer.PodLabels },
    };

    private static NetworkPolicyPeer Block(string cidr, string[]? except = null) =>
        new() { IpBlock = new IpBlock { Cidr = cidr, Except = except } };
}
