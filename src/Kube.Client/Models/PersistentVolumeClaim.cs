using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 PersistentVolumeClaim.</summary>
public sealed record PersistentVolumeClaim : IKubeResource<PersistentVolumeClaim>
{
    public static ResourceDescriptor Descriptor { get; } = new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");

    public static JsonTypeInfo<PersistentVolumeClaim> JsonTypeInfo => KubeJson.Default.PersistentVolumeClaim;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public PersistentVolumeClaimSpec? Spec { get; init; }

    public PersistentVolumeClaimStatus? Status { get; init; }
}

/// <summary>core/v1 PersistentVolumeClaimSpec.</summary>
public sealed record PersistentVolumeClaimSpec
{
    public IReadOnlyList<string>? AccessModes { get; init; }

    public LabelSelector? Selector { get; init; }

    public ResourceRequirements? Resources { get; init; }

    public string? VolumeName { get; init; }

    public string? StorageClassName { get; init; }

    public string? VolumeMode { get; init; }

    public TypedLocalObjectReference? DataSource { get; init; }
}

/// <summary>core/v1 TypedLocalObjectReference.</summary>
public sealed record TypedLocalObjectReference
{
    public string? ApiGroup { get; init; }

    public string Kind { get; init => field = value ?? ""; } = "";

    public string Name { get; init => field = value ?? ""; } = "";
}

/// <summary>core/v1 PersistentVolumeClaimStatus.</summary>
public sealed record PersistentVolumeClaimStatus
{
    public string? Phase { get; init; }

    public IReadOnlyList<string>? AccessModes { get; init; }

    public IReadOnlyDictionary<string, string>? Capacity { get; init; }

    public IReadOnlyList<Condition>? Conditions { get; init; }
}
