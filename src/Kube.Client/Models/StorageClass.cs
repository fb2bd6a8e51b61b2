using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>storage.k8s.io/v1 StorageClass.</summary>
public sealed record StorageClass : IKubeResource<StorageClass>
{
    public static ResourceDescriptor Descriptor { get; } =
        new("storage.k8s.io", "v1", "StorageClass", "storageclasses", Namespaced: false);

    public static JsonTypeInfo<StorageClass> JsonTypeInfo => KubeJson.Default.StorageClass;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public string Provisioner { get; init => field = value ?? ""; } = "";

    public string? ReclaimPolicy { get; init; }

    public bool? AllowVolumeExpansion { get; init; }

    public string? VolumeBindingMode { get; init; }
}
