using System.Text.Json.Serialization;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 Volume, as far as it is used.</summary>
public sealed record Volume
{
    public string Name { get; init => field = value ?? ""; } = "";

    public PersistentVolumeClaimVolumeSource? PersistentVolumeClaim { get; init; }

    public EmptyDirVolumeSource? EmptyDir { get; init; }

    public ConfigMapVolumeSource? ConfigMap { get; init; }

    public SecretVolumeSource? Secret { get; init; }

    public ProjectedVolumeSource? Projected { get; init; }

    [JsonPropertyName("downwardAPI")]
    public DownwardApiVolumeSource? DownwardAPI { get; init; }

    public HostPathVolumeSource? HostPath { get; init; }
}

/// <summary>core/v1 PersistentVolumeClaimVolumeSource.</summary>
public sealed record PersistentVolumeClaimVolumeSource
{
    public string ClaimName { get; init => field = value ?? ""; } = "";

    public bool? ReadOnly { get; init; }
}

/// <summary>core/v1 EmptyDirVolumeSource.</summary>
public sealed record EmptyDirVolumeSource
{
    public string? Medium { get; init; }

    public string? SizeLimit { get; init; }
}

/// <summary>core/v1 HostPathVolumeSource.</summary>
public sealed record HostPathVolumeSource
{
    public string Path { get; init => field = value ?? ""; } = "";

    public string? Type { get; init; }
}

/// <summary>core/v1 ConfigMapVolumeSource.</summary>
public sealed record ConfigMapVolumeSource
{
    public string? Name { get; init; }

    public IReadOnlyList<KeyToPath>? Items { get; init; }

    public int? DefaultMode { get; init; }

    public bool? Optional { get; init; }
}

/// <summary>core/v1 SecretVolumeSource.</summary>
public sealed record SecretVolumeSource
{
    public string? SecretName { get; init; }

    public IReadOnlyList<KeyToPath>? Items { get; init; }

    public int? DefaultMode { get; init; }

    public bool? Optional { get; init; }
}

/// <summary>core/v1 KeyToPath.</summary>
public sealed record KeyToPath
{
    public string Key { get; init => field = value ?? ""; } = "";

    public string Path { get; init => field = value ?? ""; } = "";

    public int? Mode { get; init; }
}

/// <summary>core/v1 ProjectedVolumeSource.</summary>
public sealed record ProjectedVolumeSource
{
    public IReadOnlyList<VolumeProjection>? Sources { get; init; }

    public int? DefaultMode { get; init; }
}

/// <summary>core/v1 DownwardAPIVolumeSource.</summary>
public sealed record DownwardApiVolumeSource
{
    public IReadOnlyList<DownwardApiFile>? Items { get; init; }

    public int? DefaultMode { get; init; }
}

/// <summary>core/v1 VolumeProjection.</summary>
public sealed record VolumeProjection
{
    public ObjectProjection? ConfigMap { get; init; }

    public ObjectProjection? Secret { get; init; }

    public ServiceAccountTokenProjection? ServiceAccountToken { get; init; }

    [JsonPropertyName("downwardAPI")]
    public DownwardApiProjection? DownwardAPI { get; init; }
}

/// <summary>core/v1 ConfigMapProjection and SecretProjection.</summary>
public sealed record ObjectProjection
{
    public string? Name { get; init; }

    public IReadOnlyList<KeyToPath>? Items { get; init; }

    public bool? Optional { get; init; }
}

/// <summary>core/v1 ServiceAccountTokenProjection.</summary>
public sealed record ServiceAccountTokenProjection
{
    public string? Audience { get; init; }

    public long? ExpirationSeconds { get; init; }

    public string Path { get; init => field = value ?? ""; } = "";
}

/// <summary>core/v1 DownwardAPIProjection.</summary>
public sealed record DownwardApiProjection
{
    public IReadOnlyList<DownwardApiFile>? Items { get; init; }
}

/// <summary>core/v1 DownwardAPIVolumeFile.</summary>
public sealed record DownwardApiFile
{
    public string Path { get; init => field = value ?? ""; } = "";

    public ObjectFieldSelector? FieldRef { get; init; }

    public ResourceFieldSelector? ResourceFieldRef { get; init; }

    public int? Mode { get; init; }
}
