using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 ConfigMap.</summary>
public sealed record ConfigMap : IKubeResource<ConfigMap>
{
    public static ResourceDescriptor Descriptor { get; } = new("", "v1", "ConfigMap", "configmaps");

    public static JsonTypeInfo<ConfigMap> JsonTypeInfo => KubeJson.Default.ConfigMap;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public bool? Immutable { get; init; }

    public IReadOnlyDictionary<string, string>? Data { get; init; }

    public IReadOnlyDictionary<string, byte[]>? BinaryData { get; init; }
}
