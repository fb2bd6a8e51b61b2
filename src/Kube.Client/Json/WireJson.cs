using System.Text.Json;
using System.Text.Json.Serialization;
using Kube.Client.Models;

namespace Kube.Client.Json;

/// <summary>Only the metadata of an object, for bookmarks.</summary>
internal sealed record MetadataOnly(ObjectMeta? Metadata);

/// <summary>meta/v1 DeleteOptions.</summary>
internal sealed record DeleteBody
{
    public string ApiVersion { get; } = "v1";

    public string Kind { get; } = "DeleteOptions";

    public string? PropagationPolicy { get; init; }

    public long? GracePeriodSeconds { get; init; }

    public Preconditions? Preconditions { get; init; }
}

/// <summary>meta/v1 Preconditions.</summary>
internal sealed record Preconditions(string? Uid, string? ResourceVersion);

/// <summary>meta/v1 APIResourceList, as far as discovery needs it.</summary>
internal sealed record ApiResourceList(IReadOnlyList<ApiResource>? Resources);

/// <summary>meta/v1 APIResource.</summary>
internal sealed record ApiResource(string? Name, string? Kind);

/// <summary>client.authentication.k8s.io ExecCredential.</summary>
internal sealed record ExecCredential
{
    public string? ApiVersion { get; init; }

    public string? Kind { get; init; }

    public ExecCredentialSpec? Spec { get; init; }

    public ExecCredentialStatus? Status { get; init; }
}

/// <summary>What the program is told.</summary>
internal sealed record ExecCredentialSpec(ExecCluster? Cluster, bool Interactive);

/// <summary>Which cluster the credentials are for.</summary>
internal sealed record ExecCluster
{
    public string? Server { get; init; }

    [JsonPropertyName("tls-server-name")]
    public string? TlsServerName { get; init; }

    [JsonPropertyName("insecure-skip-tls-verify")]
    public bool? InsecureSkipTlsVerify { get; init; }

    [JsonPropertyName("certificate-authority-data")]
    public string? CertificateAuthorityData { get; init; }

    [JsonPropertyName("proxy-url")]
    public string? ProxyUrl { get; init; }
}

/// <summary>What the program answers.</summary>
internal sealed record ExecCredentialStatus
{
    public DateTimeOffset? ExpirationTimestamp { get; init; }

    public string? Token { get; init; }

    public string? ClientCertificateData { get; init; }

    public string? ClientKeyData { get; init; }
}

/// <summary>Source-generated JSON of what only the client itself writes and reads.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubeTimeConverter)])]
[JsonSerializable(typeof(MetadataOnly))]
[JsonSerializable(typeof(DeleteBody))]
[JsonSerializable(typeof(ApiResourceList))]
[JsonSerializable(typeof(ExecCredential))]
internal sealed partial class WireJson : JsonSerializerContext;
