using System.Threading.Channels;
using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>A handler registered with an informer. Dispose it to stop its events.</summary>
public interface IInformerHandler : IDisposable
{
    /// <summary>True once the handler has been given everything that was there at first, not only that it has been read.</summary>
    bool HasSynced { get; }

    /// <summary>Waits for <see cref="HasSynced"/>.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);
}

/// <summary>A handler with a queue of its own, unbounded on purpose: a slow handler costs memory, it never delays the watch or another
/// handler.</summary>
internal sealed class InformerHandler<T>(Func<InformerEvent<T>, CancellationToken, ValueTask> handle, Action<InformerHandler<T>> remove,
    ILogger logger, bool inline)
    : IInformerHandler
    where T : class, IKubeResource<T>
{
    private readonly Channel<InformerEvent<T>?> _events = Channel.CreateUnbounded<InformerEvent<T>?>(
        new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = inline });
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <summary>Set under the informer's lock: the end of the initial batch was queued.</summary>
    public bool SyncQueued { get; private set; }

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    public void Post(InformerEvent<T> e) => _events.Writer.TryWrite(e);

    /// <summary>Ends the initial batch; a mark in the queue, so that it counts only when all before it was handled.</summary>
    public void PostSynced()
    {
        if (!SyncQueued)
        {
            SyncQueued = true;
            _events.Writer.TryWrite(null);
        }
    }

    public void Dispose()
    {
        remove(this);
        _events.Writer.TryComplete();
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var e in _events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                if (e is { } change)
                {
                    await HandleAsync(change, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    _synced.TrySetResult();
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The informer ends.
        }
    }

    private async ValueTask HandleAsync(InformerEvent<T> e, CancellationToken cancellationToken)
    {
        try
        {
            await handle(e, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // A handler that throws on one object must still see the next.
            CachingLog.HandlerFailed(logger, T.Descriptor.Plural, e.Resource.Key(), error);
        }
    }
}
