namespace Kube.Runtime;

/// <summary>Keys that become ready later; the earliest time asked for wins. A pure data structure: no clock, no lock.</summary>
/// <remarks>
/// Lazy deletion: bringing a key forward pushes a second entry and the later one is skipped when it surfaces.
/// That costs a heap slot per re-prioritised key and saves a tree with back references.
/// </remarks>
internal sealed class DelayHeap<TKey>
    where TKey : notnull
{
    private readonly PriorityQueue<TKey, (long At, long Order)> _heap = new();
    private readonly Dictionary<TKey, long> _readyAt = [];
    private long _order;

    public int Count => _readyAt.Count;

    /// <summary>Schedules a key; returns true when it is now the first of all, so that the timer has to be set anew.</summary>
    public bool Schedule(TKey key, long at)
    {
        if (_readyAt.TryGetValue(key, out var planned) && planned <= at)
        {
            return false;
        }

        var first = NextAt is not { } next || at < next;
        _readyAt[key] = at;
        _heap.Enqueue(key, (at, _order++));
        return first;
    }

    /// <summary>When the first key is due; null when there is none.</summary>
    public long? NextAt
    {
        get
        {
            while (_heap.TryPeek(out var key, out var priority))
            {
                if (_readyAt.TryGetValue(key, out var at) && at == priority.At)
                {
                    return at;
                }

                _heap.Dequeue();
            }

            return null;
        }
    }

    /// <summary>Takes the first key if it is due.</summary>
    public bool TryTakeDue(long now, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out TKey key)
    {
        if (NextAt is { } at && at <= now)
        {
            key = _heap.Dequeue();
            _readyAt.Remove(key);
            return true;
        }

        key = default;
        return false;
    }

    public void Clear()
    {
        _heap.Clear();
        _readyAt.Clear();
    }
}
