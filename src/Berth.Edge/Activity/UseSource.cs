namespace Berth.Edge;

/// <summary>What kind of use was seen. The names are what stands in <c>status.activity.source</c>.</summary>
internal enum UseSource
{
    /// <summary>A request that was forwarded, or that a proxy asked about.</summary>
    Request,

    /// <summary>A message of a WebSocket from the client.</summary>
    Message,

    /// <summary>The body of a request that takes long to send.</summary>
    Upload,

    /// <summary>Somebody asked that it be kept running.</summary>
    Hold,

    /// <summary>The application itself says so, when it is asked before a stop.</summary>
    Application,
}
