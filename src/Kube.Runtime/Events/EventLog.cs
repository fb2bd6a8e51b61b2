using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>Logs of the event recorder. Ids 1300 to 1399; the next free one is 1303.</summary>
internal static partial class EventLog
{
    [LoggerMessage(1300, LogLevel.Warning, "Event {Reason} about {Kind} {Name} was dropped: {Count} are waiting to be sent.")]
    public static partial void QueueFull(ILogger logger, string reason, string kind, string name, int count);

    [LoggerMessage(1301, LogLevel.Warning, "Event {Reason} about {Kind} {Name} could not be sent: {Error}")]
    public static partial void Refused(ILogger logger, string reason, string kind, string name, string error);

    [LoggerMessage(1302, LogLevel.Debug, "Event {Reason} about {Kind} {Name} is tried again: {Error}")]
    public static partial void Retrying(ILogger logger, string reason, string kind, string name, string error);
}
