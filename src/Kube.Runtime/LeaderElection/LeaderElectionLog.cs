using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>Logs of leader election. Ids 1200 to 1299; the next free one is 1206.</summary>
internal static partial class LeaderElectionLog
{
    [LoggerMessage(1200, LogLevel.Information, "{Identity} competes for the lease {Lease}.")]
    public static partial void Competing(ILogger logger, string identity, string lease);

    [LoggerMessage(1201, LogLevel.Information, "{Identity} leads (lease {Lease}, epoch {Epoch}).")]
    public static partial void Leads(ILogger logger, string identity, string lease, long epoch);

    [LoggerMessage(1202, LogLevel.Error, "{Identity} lost the lease {Lease}: {Reason}")]
    public static partial void Lost(ILogger logger, string identity, string lease, string reason);

    [LoggerMessage(1203, LogLevel.Information, "The lease {Lease} is held by {Holder}.")]
    public static partial void HeldBy(ILogger logger, string lease, string holder);

    [LoggerMessage(1204, LogLevel.Warning, "The lease {Lease} could not be read or written: {Reason}")]
    public static partial void Failed(ILogger logger, string lease, string reason);

    [LoggerMessage(1205, LogLevel.Information, "{Identity} gave the lease {Lease} back.")]
    public static partial void Released(ILogger logger, string identity, string lease);
}
