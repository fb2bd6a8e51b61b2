using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 Secret.</summary>
public sealed record Secret : IKubeResource<Secret>
{
    public static ResourceDescriptor Descriptor { get; } = new("", "v1", "Secret", "secrets");

    public static JsonTypeInfo<Secret> JsonTypeInfo => KubeJson.Default.Secret;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public string? Type { get; init; }

    public bool? Immutable { get; init; }

    public IReadOnlyDictionary<string, byte[]>? Data { get; init; }

    public IReadOnlyDictionary<string, string>? StringData { get; init; }
}
