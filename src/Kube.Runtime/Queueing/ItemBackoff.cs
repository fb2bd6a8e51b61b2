namespace Kube.Runtime;

/// <summary>Exponential delay per item: 5 ms, 10 ms, 20 ms ... up to a cap, until the item is forgotten.</summary>
/// <remarks>There is no overall bucket on top (client-go has one of 10/s): it would let one failing kind of object slow down all healthy
/// ones. Thread-safe.</remarks>
/// <typeparam name="TKey">What is delayed.</typeparam>
public sealed class ItemBackoff<TKey>
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly TimeSpan _first;
    private readonly TimeSpan _cap;

    /// <summary>Creates a limiter.</summary>
    /// <param name="first">Delay after the first failure. Default 5 ms (client-go): a conflict with another writer is usually gone at
    /// once.</param>
    /// <param name="cap">Longest delay. Default 1000 s (client-go).</param>
    public ItemBackoff(TimeSpan? first = null, TimeSpan? cap = null)
    {
        _first = first ?? TimeSpan.FromMilliseconds(5);
        _cap = cap ?? TimeSpan.FromSeconds(1000);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_first, TimeSpan.Zero, nameof(first));
        ArgumentOutOfRangeException.ThrowIfLessThan(_cap, _first, nameof(cap));
    }

    /// <summary>Counts one more failure of the item and returns how long to wait now.</summary>
    public TimeSpan Next(TKey key)
    {
        lock (_gate)
        {
            var n = _failures.GetValueOrDefault(key);
            _failures[key] = n + 1;

            // 2^n in floating point cannot overflow before the comparison, however often an item failed.
            var ticks = _first.Ticks * Math.Pow(2, n);
            return ticks >= _cap.Ticks ? _cap : TimeSpan.FromTicks((long)ticks);
        }
    }

    /// <summary>How often the item failed since it was last forgotten.</summary>
    public int Failures(TKey key)
    {
        lock (_gate)
        {
            return _failures.GetValueOrDefault(key);
        }
    }

    /// <summary>The item succeeded: its next failure starts with the first delay again.</summary>
    public void Forget(TKey key)
    {
        lock (_gate)
        {
            _failures.Remove(key);
        }
    }
}
