using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>batch/v1 Job.</summary>
public sealed record Job : IKubeResource<Job>
{
    public static ResourceDescriptor Descriptor { get; } = new("batch", "v1", "Job", "jobs");

    public static JsonTypeInfo<Job> JsonTypeInfo => KubeJson.Default.Job;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public JobSpec? Spec { get; init; }

    public JobStatus? Status { get; init; }
}

/// <summary>batch/v1 JobSpec, as far as it is used.</summary>
public sealed record JobSpec
{
    public int? Parallelism { get; init; }

    public int? Completions { get; init; }

    public long? ActiveDeadlineSeconds { get; init; }

    public int? BackoffLimit { get; init; }

    public LabelSelector? Selector { get; init; }

    public PodTemplateSpec Template { get; init => field = value ?? new(); } = new();

    public int? TtlSecondsAfterFinished { get; init; }

    public bool? Suspend { get; init; }
}

/// <summary>core/v1 PodTemplateSpec.</summary>
public sealed record PodTemplateSpec
{
    public ObjectMeta? Metadata { get; init; }

    public PodSpec? Spec { get; init; }
}

/// <summary>batch/v1 JobStatus.</summary>
public sealed record JobStatus
{
    /// <summary>Complete or Failed, once it is over.</summary>
    public IReadOnlyList<Condition>? Conditions { get; init; }

    public DateTimeOffset? StartTime { get; init; }

    public DateTimeOffset? CompletionTime { get; init; }

    public int? Active { get; init; }

    public int? Succeeded { get; init; }

    public int? Failed { get; init; }
}
