using System.Collections.Concurrent;

namespace Berth.Accounts;

/// <summary>
/// Lets a waiter go on as soon as there is news of a row. News may be missed; whoever waits reads the row again in any case.
/// </summary>
internal sealed class RowSignals(TimeProvider clock)
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _waiting = [];

    public async Task WaitAsync(Guid id, TimeSpan most, CancellationToken cancellationToken)
    {
        var signal = _waiting.GetOrAdd(id, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await signal.Task.WaitAsync(most, clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Time to look again.
        }
        finally
        {
            // Nobody adds waiters to a signal that was given; the next one makes its own.
            _waiting.TryRemove(new(id, signal));
        }
    }

    /// <summary>Whether somebody waits for news of it.</summary>
    public bool IsAwaited(Guid id) => _waiting.ContainsKey(id);

    public void Signal(Guid id)
    {
        if (_waiting.TryRemove(id, out var signal))
        {
            signal.TrySetResult();
        }
    }
}
