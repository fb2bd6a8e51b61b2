using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 Node.</summary>
public sealed record Node : IKubeResource<Node>
{
    public static ResourceDescriptor Descriptor { get; } = new("", "v1", "Node", "nodes", Namespaced: false);

    public static JsonTypeInfo<Node> JsonTypeInfo => KubeJson.Default.Node;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public NodeSpec? Spec { get; init; }

    public NodeStatus? Status { get; init; }
}

/// <summary>core/v1 NodeSpec, as far as it is used.</summary>
public sealed record NodeSpec
{
    public bool? Unschedulable { get; init; }

    public IReadOnlyList<Taint>? Taints { get; init; }
}

/// <summary>core/v1 Taint.</summary>
public sealed record Taint
{
    public string Key { get; init => field = value ?? ""; } = "";

    public string? Value { get; init; }

    public string? Effect { get; init; }
}

/// <summary>core/v1 NodeStatus, as far as it is used.</summary>
public sealed record NodeStatus
{
    public IReadOnlyList<Condition>? Conditions { get; init; }

    public IReadOnlyList<NodeAddress>? Addresses { get; init; }

    public IReadOnlyDictionary<string, string>? Capacity { get; init; }

    public IReadOnlyDictionary<string, string>? Allocatable { get; init; }
}

/// <summary>core/v1 NodeAddress.</summary>
public sealed record NodeAddress
{
    public string Type { get; init => field = value ?? ""; } = "";

    public string Address { get; init => field = value ?? ""; } = "";
}
