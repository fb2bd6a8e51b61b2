using System.Runtime.CompilerServices;
using Kube.Client;

namespace Kube.Runtime;

/// <summary>Waiting between the failures of a watcher, kept outside it so that its tests need no clock.</summary>
public static class WatcherBackoff
{
    /// <summary>Passes everything on and waits after each <see cref="WatcherEventKind.Failed"/>; a server's Retry-After is honoured when it
    /// is longer.</summary>
    public static async IAsyncEnumerable<WatcherEvent<T>> WithBackoff<T>(
        this IAsyncEnumerable<WatcherEvent<T>> events,
        BackoffOptions options,
        TimeProvider time,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        var backoff = new Backoff(options, time);
        await foreach (var e in events.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            yield return e;
            if (e.Kind != WatcherEventKind.Failed)
            {
                continue;
            }

            var delay = backoff.Next();
            if (e.Error is KubeException { RetryAfter: { } asked } && asked > delay)
            {
                delay = asked;
            }

            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
