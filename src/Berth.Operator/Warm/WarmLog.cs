using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>Logs of the warm pools. Ids 2100 to 2149; the next free one is 2108.</summary>
internal static partial class WarmLog
{
    [LoggerMessage(2100, LogLevel.Information, "{Key}: took the waiting pod {Pod}")]
    internal static partial void Claimed(ILogger logger, ResourceKey key, string pod);

    [LoggerMessage(2101, LogLevel.Information, "{Key}: going on with the claim of pod {Pod}")]
    internal static partial void Resumed(ILogger logger, ResourceKey key, string pod);

    [LoggerMessage(2102, LogLevel.Warning, "{Key}: the volume of pod {Pod} is gone or somebody else's; the pod is deleted")]
    internal static partial void GivenUp(ILogger logger, ResourceKey key, string pod);

    [LoggerMessage(2103, LogLevel.Debug,
        "Pool {Key}: {Create} to make, {Delete} pods and {Claims} volumes to delete; {Ready} of {Size} ready")]
    internal static partial void Planned(ILogger logger, ResourceKey key, int create, int delete, int claims, int ready, int size);

    [LoggerMessage(2104, LogLevel.Warning, "Pool {Key}: the API refused a pod or its volume; next attempt at {Next}: {Message}")]
    internal static partial void Refused(ILogger logger, ResourceKey key, DateTimeOffset? next, string message);

    [LoggerMessage(2105, LogLevel.Warning, "Pool {Key}: there can be none: {Problem}")]
    internal static partial void Unusable(ILogger logger, ResourceKey key, string problem);

    [LoggerMessage(2107, LogLevel.Warning, "{Key}: the API refused the claim of pod {Pod}, so a new one is made: {Message}")]
    internal static partial void ClaimRefused(ILogger logger, ResourceKey key, string pod, string message);

    [LoggerMessage(2106, LogLevel.Warning, "Pool {Key}: pod {Pod} does not come up: {Message}")]
    internal static partial void Failing(ILogger logger, ResourceKey key, string pod, string message);
}

/// <summary>Patches as they are put together here.</summary>
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class WarmJson : JsonSerializerContext;
