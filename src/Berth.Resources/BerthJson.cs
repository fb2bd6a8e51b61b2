using System.Text.Json.Serialization;
using Kube.Client.Json;

namespace Berth.Resources;

/// <summary>
/// Source-generated JSON of Berth's kinds and of the Traefik kinds it writes; the same options as <see cref="KubeJson"/>.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubeTimeConverter)])]
[JsonSerializable(typeof(UserWorkspace))]
[JsonSerializable(typeof(UserWorkspaceStatus))]
[JsonSerializable(typeof(WorkspaceTemplate))]
[JsonSerializable(typeof(BerthPolicy))]
[JsonSerializable(typeof(IngressRoute))]
[JsonSerializable(typeof(Middleware))]
public sealed partial class BerthJson : JsonSerializerContext;
