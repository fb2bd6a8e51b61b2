using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 Namespace.</summary>
public sealed record Namespace : IKubeResource<Namespace>
{
    public static ResourceDescriptor Descriptor { get; } = new("", "v1", "Namespace", "namespaces", Namespaced: false);

    public static JsonTypeInfo<Namespace> JsonTypeInfo => KubeJson.Default.Namespace;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public NamespaceSpec? Spec { get; init; }

    public NamespaceStatus? Status { get; init; }
}

/// <summary>core/v1 NamespaceSpec.</summary>
public sealed record NamespaceSpec
{
    public IReadOnlyList<string>? Finalizers { get; init; }
}

/// <summary>core/v1 NamespaceStatus.</summary>
public sealed record NamespaceStatus
{
    public string? Phase { get; init; }

    public IReadOnlyList<Condition>? Conditions { get; init; }
}
