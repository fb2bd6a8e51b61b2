using System.Text.Json.Serialization;
using Berth.Resources;
using Kube.Client.Json;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Bodies of patches.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubeTimeConverter)])]
[JsonSerializable(typeof(UserWorkspaceStop))]
[JsonSerializable(typeof(MetadataPatch))]
internal sealed partial class OperatorJson : JsonSerializerContext;

/// <summary>A merge patch that stops a workspace.</summary>
internal sealed record UserWorkspaceStop
{
    public required ObjectMeta Metadata { get; init; }

    public required UserWorkspaceStopSpec Spec { get; init; }
}

/// <summary>A merge patch of metadata.</summary>
internal sealed record MetadataPatch
{
    public required ObjectMeta Metadata { get; init; }
}

/// <summary>The part of a specification that a stop changes.</summary>
internal sealed record UserWorkspaceStopSpec
{
    public string DesiredState { get; } = DesiredStates.Stopped;

    public required WorkspaceRequest LastRequest { get; init; }
}
