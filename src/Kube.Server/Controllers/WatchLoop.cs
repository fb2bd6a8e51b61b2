using Microsoft.Extensions.Logging;

namespace Kube.Server.Controllers;

/// <summary>Follows collections in the server's process for as long as the server runs, whatever a single step does.</summary>
internal static partial class WatchLoop
{
    /// <summary>Calls <paramref name="handle"/> for each step of one watch; begins anew with a full list after an error.</summary>
    public static async Task RunAsync(Func<CancellationToken, IAsyncEnumerable<WatchEvent>> watch, Func<WatchEvent, Task> handle,
        TimeProvider time,
        ILogger logger, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var step in watch(cancellationToken).WithCancellation(cancellationToken))
                {
                    await handle(step);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A controller that ends because of one object would leave all others alone.
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFailed(logger, error);
                try
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    [LoggerMessage(2, LogLevel.Warning, "A watch failed and begins anew")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
