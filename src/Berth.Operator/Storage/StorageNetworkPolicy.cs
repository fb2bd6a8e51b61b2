using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// What the pods of backups may reach: the object store and name servers where archives go there, and nothing else; nobody reaches them.
/// </summary>
internal static class StorageNetworkPolicy
{
    /// <summary>With a dot, which no workspace's name has: it cannot be another workspace's policy.</summary>
    internal static string NameOf(string workspace) => workspace + ".storage";

    internal static NetworkPolicy Make(UserWorkspace workspace, BlueprintSettings settings)
    {
        List<NetworkPolicyEgressRule> egress = [];
        if (settings.Backup.ObjectStore is { } store && settings.Backup.Claim is null)
        {
            egress.Add(new NetworkPolicyEgressRule
            {
                To = [new NetworkPolicyPeer
                {
                    NamespaceSelector = new LabelSelector(),
                    PodSelector = new LabelSelector { MatchLabels = settings.Network.Dns.PodLabels },
                }],
                Ports = [new NetworkPolicyPort { Protocol = "UDP", Port = 53 }, new NetworkPolicyPort { Protocol = "TCP", Port = 53 }],
            });
            egress.Add(new NetworkPolicyEgressRule
            {
                To = store.Networks.Count == 0
                    ? null
                    : [.. store.Networks.Select(n => new NetworkPolicyPeer { IpBlock = new IpBlock { Cidr = n } })],
                Ports = [new NetworkPolicyPort { Protocol = "TCP", Port = store.Endpoint.Port }],
            });
        }

        return new NetworkPolicy
        {
            Metadata = new ObjectMeta
            {
                Name = NameOf(workspace.Metadata.Name!),
                Namespace = workspace.Metadata.Namespace,
                Labels = Children.LabelsOf(workspace),
            },
            Spec = new NetworkPolicySpec
            {
                PodSelector = new LabelSelector
                {
                    MatchLabels = new Dictionary<string, string> { [Labels.StorageOf] = workspace.Metadata.Name! },
                },
                PolicyTypes = ["Ingress", "Egress"],
                Egress = egress,
            },
        };
    }
}
