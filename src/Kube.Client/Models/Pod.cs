using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 Pod.</summary>
public sealed record Pod : IKubeResource<Pod>
{
    public static ResourceDescriptor Descriptor { get; } = new("", "v1", "Pod", "pods");

    public static JsonTypeInfo<Pod> JsonTypeInfo => KubeJson.Default.Pod;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public PodSpec? Spec { get; init; }

    public PodStatus? Status { get; init; }
}

/// <summary>core/v1 PodSpec, as far as it is used.</summary>
public sealed record PodSpec
{
    public IReadOnlyList<Container>? InitContainers { get; init; }

    public IReadOnlyList<Container> Containers { get; init => field = value ?? []; } = [];

    public IReadOnlyList<Volume>? Volumes { get; init; }

    public string? RestartPolicy { get; init; }

    public long? TerminationGracePeriodSeconds { get; init; }

    public long? ActiveDeadlineSeconds { get; init; }

    public string? NodeName { get; init; }

    public IReadOnlyDictionary<string, string>? NodeSelector { get; init; }

    public JsonElement? Affinity { get; init; }

    public IReadOnlyList<Toleration>? Tolerations { get; init; }

    public JsonElement? TopologySpreadConstraints { get; init; }

    public string? PriorityClassName { get; init; }

    public string? RuntimeClassName { get; init; }

    public string? SchedulerName { get; init; }

    public string? ServiceAccountName { get; init; }

    public bool? AutomountServiceAccountToken { get; init; }

    public bool? EnableServiceLinks { get; init; }

    public IReadOnlyList<LocalObjectReference>? ImagePullSecrets { get; init; }

    public PodSecurityContext? SecurityContext { get; init; }

    public string? Hostname { get; init; }

    public string? Subdomain { get; init; }

    public string? DnsPolicy { get; init; }

    public bool? HostNetwork { get; init; }

    public bool? ShareProcessNamespace { get; init; }
}

/// <summary>core/v1 Toleration.</summary>
public sealed record Toleration
{
    public string? Key { get; init; }

    public string? Operator { get; init; }

    public string? Value { get; init; }

    public string? Effect { get; init; }

    public long? TolerationSeconds { get; init; }
}

/// <summary>core/v1 LocalObjectReference.</summary>
public sealed record LocalObjectReference
{
    public string Name { get; init => field = value ?? ""; } = "";
}

/// <summary>core/v1 PodSecurityContext.</summary>
public sealed record PodSecurityContext
{
    public long? RunAsUser { get; init; }

    public long? RunAsGroup { get; init; }

    public bool? RunAsNonRoot { get; init; }

    public long? FsGroup { get; init; }

    public string? FsGroupChangePolicy { get; init; }

    public IReadOnlyList<long>? SupplementalGroups { get; init; }

    public SeccompProfile? SeccompProfile { get; init; }
}

/// <summary>core/v1 SeccompProfile.</summary>
public sealed record SeccompProfile
{
    public string Type { get; init => field = value ?? ""; } = "";

    public string? LocalhostProfile { get; init; }
}
