using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>networking.k8s.io/v1 NetworkPolicy.</summary>
public sealed record NetworkPolicy : IKubeResource<NetworkPolicy>
{
    public static ResourceDescriptor Descriptor { get; } = new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");

    public static JsonTypeInfo<NetworkPolicy> JsonTypeInfo => KubeJson.Default.NetworkPolicy;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public NetworkPolicySpec? Spec { get; init; }
}

/// <summary>networking.k8s.io/v1 NetworkPolicySpec.</summary>
public sealed record NetworkPolicySpec
{
    public LabelSelector PodSelector { get; init => field = value ?? new(); } = new();

    public IReadOnlyList<NetworkPolicyIngressRule>? Ingress { get; init; }

    public IReadOnlyList<NetworkPolicyEgressRule>? Egress { get; init; }

    public IReadOnlyList<string>? PolicyTypes { get; init; }
}

/// <summary>networking.k8s.io/v1 NetworkPolicyIngressRule.</summary>
public sealed record NetworkPolicyIngressRule
{
    public IReadOnlyList<NetworkPolicyPort>? Ports { get; init; }

    public IReadOnlyList<NetworkPolicyPeer>? From { get; init; }
}

/// <summary>networking.k8s.io/v1 NetworkPolicyEgressRule.</summary>
public sealed record NetworkPolicyEgressRule
{
    public IReadOnlyList<NetworkPolicyPort>? Ports { get; init; }

    public IReadOnlyList<NetworkPolicyPeer>? To { get; init; }
}

/// <summary>networking.k8s.io/v1 NetworkPolicyPort.</summary>
public sealed record NetworkPolicyPort
{
    public string? Protocol { get; init; }

    public IntOrString? Port { get; init; }

    public int? EndPort { get; init; }
}

/// <summary>networking.k8s.io/v1 NetworkPolicyPeer.</summary>
public sealed record NetworkPolicyPeer
{
    public LabelSelector? PodSelector { get; init; }

    public LabelSelector? NamespaceSelector { get; init; }

    public IpBlock? IpBlock { get; init; }
}

/// <summary>networking.k8s.io/v1 IPBlock.</summary>
public sealed record IpBlock
{
    public string Cidr { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? Except { get; init; }
}
