using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>What is logged of storage. Ids 2200 to 2299; the next is 2204.</summary>
internal static partial class StorageLog
{
    [LoggerMessage(2200, LogLevel.Information, "{Key}: volume {Volume} has no workspace any more; the undelete window begins")]
    internal static partial void Released(ILogger logger, ResourceKey key, string volume);

    [LoggerMessage(2201, LogLevel.Warning, "{Key}: deleted volume {Volume}, released at {ReleasedAt}: the undelete window is over")]
    internal static partial void Expired(ILogger logger, ResourceKey key, string volume, string? releasedAt);

    [LoggerMessage(2202, LogLevel.Warning, "{Key}: the volume could not grow to {Size}: {Message}")]
    internal static partial void GrowthRefused(ILogger logger, ResourceKey key, string size, string message);

    [LoggerMessage(2203, LogLevel.Information, "{Kind} cannot be read ({Message}); going on without it")]
    internal static partial void NotReadable(ILogger logger, string kind, string message);
}
