using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the API reference of the external snapshotter.

/// <summary>snapshot.storage.k8s.io/v1 VolumeSnapshot: served where its definitions and a snapshot controller are installed.</summary>
public sealed record VolumeSnapshot : IKubeResource<VolumeSnapshot>
{
    public static ResourceDescriptor Descriptor { get; } = new("snapshot.storage.k8s.io", "v1", "VolumeSnapshot", "volumesnapshots");

    public static JsonTypeInfo<VolumeSnapshot> JsonTypeInfo => KubeJson.Default.VolumeSnapshot;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public VolumeSnapshotSpec? Spec { get; init; }

    public VolumeSnapshotStatus? Status { get; init; }
}

/// <summary>snapshot.storage.k8s.io/v1 VolumeSnapshotSpec.</summary>
public sealed record VolumeSnapshotSpec
{
    public VolumeSnapshotSource? Source { get; init; }

    public string? VolumeSnapshotClassName { get; init; }
}

/// <summary>snapshot.storage.k8s.io/v1 VolumeSnapshotSource.</summary>
public sealed record VolumeSnapshotSource
{
    public string? PersistentVolumeClaimName { get; init; }

    public string? VolumeSnapshotContentName { get; init; }
}

/// <summary>snapshot.storage.k8s.io/v1 VolumeSnapshotStatus.</summary>
public sealed record VolumeSnapshotStatus
{
    public string? BoundVolumeSnapshotContentName { get; init; }

    public DateTimeOffset? CreationTime { get; init; }

    public bool? ReadyToUse { get; init; }

    /// <summary>Least size of a claim that is made from it.</summary>
    public string? RestoreSize { get; init; }

    public VolumeSnapshotError? Error { get; init; }
}

/// <summary>snapshot.storage.k8s.io/v1 VolumeSnapshotError.</summary>
public sealed record VolumeSnapshotError
{
    public string? Message { get; init; }

    public DateTimeOffset? Time { get; init; }
}

/// <summary>snapshot.storage.k8s.io/v1 VolumeSnapshotClass.</summary>
public sealed record VolumeSnapshotClass : IKubeResource<VolumeSnapshotClass>
{
    public static ResourceDescriptor Descriptor { get; } =
        new("snapshot.storage.k8s.io", "v1", "VolumeSnapshotClass", "volumesnapshotclasses", Namespaced: false);

    public static JsonTypeInfo<VolumeSnapshotClass> JsonTypeInfo => KubeJson.Default.VolumeSnapshotClass;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public string Driver { get; init => field = value ?? ""; } = "";

    public string? DeletionPolicy { get; init; }
}
