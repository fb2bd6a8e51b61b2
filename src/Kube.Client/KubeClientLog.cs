using Microsoft.Extensions.Logging;

namespace Kube.Client;

/// <summary>Log messages of the client. Next free id: 1003.</summary>
internal static partial class KubeClientLog
{
    [LoggerMessage(1001, LogLevel.Information, "{Method} {Path} failed at try {Try}, next in {WaitMs:0} ms: {Error}")]
    public static partial void Retrying(ILogger logger, string method, string path, int @try, double waitMs, string error);

    [LoggerMessage(1002, LogLevel.Warning, "The watch of {Path} sent an event of unknown type {Type}, which is skipped")]
    public static partial void UnknownEvent(ILogger logger, string path, string type);
}
