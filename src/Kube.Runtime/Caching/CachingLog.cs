using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>Logs of watching and caching. Ids 1000 to 1099; the next free one is 1006.</summary>
internal static partial class CachingLog
{
    [LoggerMessage(1000, LogLevel.Information, "Watching {Kind} is synced: {Count} objects at version {Version}.")]
    public static partial void Synced(ILogger logger, string kind, int count, string? version);

    [LoggerMessage(1001, LogLevel.Warning, "Watching {Kind} failed and goes on after a pause: {Reason}")]
    public static partial void WatchFailed(ILogger logger, string kind, string reason);

    [LoggerMessage(1002, LogLevel.Debug, "Watching {Kind} lists anew.")]
    public static partial void Relisting(ILogger logger, string kind);

    [LoggerMessage(1003, LogLevel.Error, "A handler of {Kind} failed on {Key}.")]
    public static partial void HandlerFailed(ILogger logger, string kind, ResourceKey key, Exception error);

    [LoggerMessage(1004, LogLevel.Information, "{Count} objects of {Kind} went away while nobody watched.")]
    public static partial void MissedDeletions(ILogger logger, int count, string kind);

    [LoggerMessage(1005, LogLevel.Warning, "The transform of {Kind} failed on {Key}; the object is kept as it is.")]
    public static partial void TransformFailed(ILogger logger, string kind, ResourceKey key, Exception error);
}
