using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The network policy: nothing comes in but from the edge and Traefik, nothing goes out but to name servers, the edge's keys and
/// what the template opens. Other workspaces, the API server, private networks and cloud metadata are not among them.
/// </summary>
internal static class NetworkPolicyPart
{
    /// <summary>The policy of a workspace.</summary>
    /// <param name="workspace">The workspace.</param>
    /// <param name="template">
    /// The template that its pod was made from, or will be; null when that is gone, and then what <paramref name="existing"/> opens
    /// stays as it is.
    /// </param>
    /// <param name="existing">The policy that is there.</param>
    /// <param name="settings">Decisions of the installation.</param>
    internal static NetworkPolicy Make(
        UserWorkspace workspace, WorkspaceTemplate? template, NetworkPolicy? existing, BlueprintSettings settings)
    {
        var ns = workspace.Metadata.Namespace ?? "";
        var network = settings.Network;
        var egress = template is null && Untouched(existing) ? existing!.Spec!.Egress : Egress(template, ns, settings);
        return new NetworkPolicy
        {
            Metadata = Children.Owned(workspace) with
            {
                Annotations = new Dictionary<string, string> { [Annotations.EgressHash] = HashOf(egress) },
            },
            Spec = new NetworkPolicySpec
            {
                PodSelector = new LabelSelector
                {
                    MatchLabels = new Dictionary<string, string> { [Labels.Workspace] = workspace.Metadata.Name! },
                },
                PolicyTypes = ["Ingress", "Egress"],
                Ingress =
                [
                    new NetworkPolicyIngressRule
                    {
                        From = [EdgePeer(ns, settings), Peer(network.Traefik), .. network.AllowedSources.Select(Block)],
                        Ports = [new NetworkPolicyPort { Protocol = "TCP", Port = Blueprint.PortName }],
                    },
                ],
                Egress = egress,
            },
        };
    }

    /// <summary>What pods may reach: name servers and the edge's keys, and the networks that their template opens.</summary>
    /// <param name="template">The template; null opens nothing else.</param>
    /// <param name="ns">Namespace of the pods.</param>
    /// <param name="settings">Decisions of the installation.</param>
    internal static IReadOnlyList<NetworkPolicyEgressRule> Egress(WorkspaceTemplate? template, string ns, BlueprintSettings settings)
    {
        var blocks = template is null ? [] : EgressRules.Blocks(template.Spec.Egress, settings.Network);
        List<NetworkPolicyEgressRule> rules =
        [
            new NetworkPolicyEgressRule
            {
                To = [Peer(settings.Network.Dns)],
                Ports = [new NetworkPolicyPort { Protocol = "UDP", Port = 53 }, new NetworkPolicyPort { Protocol = "TCP", Port = 53 }],
            },
            new NetworkPolicyEgressRule
            {
                To = [EdgePeer(ns, settings)],
                Ports = [new NetworkPolicyPort { Protocol = "TCP", Port = settings.Edge.TargetPort }],
            },
        ];

        // A rule without peers would open everything.
        if (blocks.Length > 0)
        {
            rules.Add(new NetworkPolicyEgressRule { To = [.. blocks.Select(Block)] });
        }

        return rules;
    }

    // The policy is as it was applied last: somebody else's change of it does not become what is kept.
    private static bool Untouched(NetworkPolicy? existing) =>
        existing is { Spec: { } spec, Metadata.Annotations: { } annotations }
        && annotations.GetValueOrDefault(Annotations.EgressHash) == HashOf(spec.Egress);

    private static string HashOf(IReadOnlyList<NetworkPolicyEgressRule>? egress) =>
        Hashes.Of(new NetworkPolicy { Spec = new NetworkPolicySpec { Egress = egress } }, NetworkPolicy.JsonTypeInfo);

    // The edge's namespace is selected by name only where it is another one: the label with a namespace's name came with Kubernetes 1.21.
    private static NetworkPolicyPeer EdgePeer(string ns, BlueprintSettings settings) =>
        settings.Network.Edge.NamespaceLabels is null && settings.Edge.Namespace != ns
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

    private static NetworkPolicyPeer Block(string cidr) => new() { IpBlock = new IpBlock { Cidr = cidr } };

    private static NetworkPolicyPeer Block(EgressBlock block) => new()
    {
        IpBlock = new IpBlock
        {
            Cidr = block.Network.ToString(),
            Except = block.Except.IsEmpty ? null : [.. block.Except.Select(e => e.ToString())],
        },
    };
}
