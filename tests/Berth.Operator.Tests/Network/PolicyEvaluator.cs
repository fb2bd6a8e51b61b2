using System.Net;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>One end of a flow: a pod, or an address outside of the cluster (then without labels).</summary>
internal sealed record FlowEnd(string Address)
{
    internal string Namespace { get; init; } = "";

    internal IReadOnlyDictionary<string, string> NamespaceLabels { get; init; } = new Dictionary<string, string>();

    /// <summary>Null: no pod.</summary>
    internal IReadOnlyDictionary<string, string>? Labels { get; init; }

    internal IReadOnlyDictionary<string, int> NamedPorts { get; init; } = new Dictionary<string, int>();
}

/// <summary>
/// What a network plugin makes of NetworkPolicies, written from the API reference and without any code of the operator's. Where the
/// reference leaves it to the plugin whether a network (ipBlock) also means pods, the worse is taken: it does.
/// </summary>
internal static class PolicyEvaluator
{
    /// <summary>Whether a connection can be made: the policies of the source let it out, and those of the destination let it in.</summary>
    internal static bool Allows(IReadOnlyList<NetworkPolicy> policies, FlowEnd from, FlowEnd to, int port, string protocol = "TCP") =>
        LetsOut(policies, from, to, port, protocol) && LetsIn(policies, from, to, port, protocol);

    internal static bool LetsOut(IReadOnlyList<NetworkPolicy> policies, FlowEnd from, FlowEnd to, int port, string protocol = "TCP")
    {
        var bearing = policies.Where(p => Selects(p, from) && Has(p, "Egress", p.Spec!.Egress is { Count: > 0 })).ToList();
        return bearing.Count == 0 || bearing.Exists(p => (p.Spec!.Egress ?? []).Any(r =>
            Peers(r.To, p, to) && Ports(r.Ports, to, port, protocol)));
    }

    internal static bool LetsIn(IReadOnlyList<NetworkPolicy> policies, FlowEnd from, FlowEnd to, int port, string protocol = "TCP")
    {
        var bearing = policies.Where(p => Selects(p, to) && Has(p, "Ingress", otherwise: true)).ToList();
        return bearing.Count == 0 || bearing.Exists(p => (p.Spec!.Ingress ?? []).Any(r =>
            Peers(r.From, p, from) && Ports(r.Ports, to, port, protocol)));
    }

    private static bool Selects(NetworkPolicy policy, FlowEnd pod) =>
        pod.Labels is { } labels && policy.Metadata.Namespace == pod.Namespace && Matches(policy.Spec!.PodSelector, labels);

    private static bool Has(NetworkPolicy policy, string type, bool otherwise) => policy.Spec!.PolicyTypes?.Contains(type) ?? otherwise;

    // A rule without peers means everybody, one without ports every port.
    private static bool Peers(IReadOnlyList<NetworkPolicyPeer>? peers, NetworkPolicy policy, FlowEnd other) =>
        peers is not { Count: > 0 } || peers.Any(p => Peer(p, policy, other));

    private static bool Peer(NetworkPolicyPeer peer, NetworkPolicy policy, FlowEnd other)
    {
        if (peer.IpBlock is { } block)
        {
            var address = IPAddress.Parse(other.Address);
            return IPNetwork.Parse(block.Cidr).Contains(address) && !(block.Except ?? []).Any(e => IPNetwork.Parse(e).Contains(address));
        }

        return other.Labels is { } labels
            && (peer.NamespaceSelector is { } ns ? Matches(ns, other.NamespaceLabels) : other.Namespace == policy.Metadata.Namespace)
            && (peer.PodSelector is not { } selector || Matches(selector, labels));
    }

    private static bool Ports(IReadOnlyList<NetworkPolicyPort>? ports, FlowEnd to, int port, string protocol) =>
        ports is not { Count: > 0 } || ports.Any(p => (p.Protocol ?? "TCP") == protocol && (p.Port is not { } wanted
            || (wanted.Text is { } name ? to.NamedPorts.GetValueOrDefault(name, -1) == port : wanted.Number == port)));

    private static bool Matches(LabelSelector selector, IReadOnlyDictionary<string, string> labels)
    {
        // Fails where a policy says what this cannot read, rather than let it pass.
        Assert.Null(selector.MatchExpressions);
        return (selector.MatchLabels ?? new Dictionary<string, string>()).All(l => labels.GetValueOrDefault(l.Key) == l.Value);
    }
}
