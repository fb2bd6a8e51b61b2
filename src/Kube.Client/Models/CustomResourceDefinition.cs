using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>apiextensions.k8s.io/v1 CustomResourceDefinition; the spec stays JSON, since a schema is any JSON.</summary>
public sealed record CustomResourceDefinition : IKubeResource<CustomResourceDefinition>
{
    public static ResourceDescriptor Descriptor { get; } =
        new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", Namespaced: false);

    public static JsonTypeInfo<CustomResourceDefinition> JsonTypeInfo => KubeJson.Default.CustomResourceDefinition;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata
    {
        get;
        init => field = value ?? new();
    } = new();

    public JsonElement? Spec { get; init; }

    public CustomResourceDefinitionStatus? Status { get; init; }
}

/// <summary>apiextensions.k8s.io/v1 CustomResourceDefinitionStatus.</summary>
public sealed record CustomResourceDefinitionStatus
{
    public IReadOnlyList<Condition>? Conditions { get; init; }

    public JsonElement? AcceptedNames { get; init; }

    public IReadOnlyList<string>? StoredVersions { get; init; }
}
