using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>Logs of controllers. Ids 1100 to 1199; the next free one is 1107.</summary>
internal static partial class ControllerLog
{
    [LoggerMessage(1100, LogLevel.Information, "Controller {Controller} starts with {Workers} workers.")]
    public static partial void Started(ILogger logger, string controller, int workers);

    [LoggerMessage(1101, LogLevel.Information, "Controller {Controller} stopped.")]
    public static partial void Stopped(ILogger logger, string controller);

    [LoggerMessage(1102, LogLevel.Error, "Reconciling {Key} failed (attempt {Attempt}, reconcile {ReconcileId}); it is tried again.")]
    public static partial void Failed(ILogger logger, ResourceKey key, int attempt, string reconcileId, Exception error);

    [LoggerMessage(1103, LogLevel.Error, "Reconciling {Key} failed for good until the object changes (reconcile {ReconcileId}).")]
    public static partial void FailedForGood(ILogger logger, ResourceKey key, string reconcileId, Exception error);

    [LoggerMessage(1104, LogLevel.Debug,
        "Reconciling {Key} met a newer version of an object and is tried again (reconcile {ReconcileId}): {Reason}")]
    public static partial void Conflict(ILogger logger, ResourceKey key, string reconcileId, string reason);

    [LoggerMessage(1105, LogLevel.Warning,
        "Controller {Controller}: reconciles did not return within {Timeout} of being cancelled; they are left behind.")]
    public static partial void LeftBehind(ILogger logger, string controller, TimeSpan timeout);

    [LoggerMessage(1106, LogLevel.Debug, "Reconciled {Key} (reconcile {ReconcileId}).")]
    public static partial void Reconciled(ILogger logger, ResourceKey key, string reconcileId);
}
