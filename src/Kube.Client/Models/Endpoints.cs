using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>core/v1 Endpoints.</summary>
public sealed record Endpoints : IKubeResource<Endpoints>
{
    public static ResourceDescriptor Descriptor { get; } = new("", "v1", "Endpoints", "endpoints");

    public static JsonTypeInfo<Endpoints> JsonTypeInfo => KubeJson.Default.Endpoints;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public IReadOnlyList<EndpointSubset>? Subsets { get; init; }
}

/// <summary>core/v1 EndpointSubset: every address with every port.</summary>
public sealed record EndpointSubset
{
    public IReadOnlyList<EndpointAddress>? Addresses { get; init; }

    public IReadOnlyList<EndpointAddress>? NotReadyAddresses { get; init; }

    public IReadOnlyList<EndpointPort>? Ports { get; init; }
}

/// <summary>core/v1 EndpointAddress.</summary>
public sealed record EndpointAddress
{
    [JsonPropertyName("ip")]
    public string IP { get; init => field = value ?? ""; } = "";

    public string? Hostname { get; init; }

    public string? NodeName { get; init; }

    public ObjectReference? TargetRef { get; init; }
}

/// <summary>core/v1 EndpointPort.</summary>
public sealed record EndpointPort
{
    public string? Name { get; init; }

    public int Port { get; init; }

    public string? Protocol { get; init; }

    public string? AppProtocol { get; init; }
}

/// <summary>core/v1 ObjectReference.</summary>
public sealed record ObjectReference
{
    public string? ApiVersion { get; init; }

    public string? Kind { get; init; }

    public string? Namespace { get; init; }

    public string? Name { get; init; }

    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public string? FieldPath { get; init; }
}
