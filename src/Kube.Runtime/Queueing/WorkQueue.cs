using System.Diagnostics.CodeAnalysis;

namespace Kube.Runtime;

/// <summary>A queue of keys for workers: de-duplicating, fair, with delays and a back-off per key.</summary>
/// <remarks>
/// <code>
///  Add ──► dirty ──► FIFO ──► GetAsync ──► processing ──► Done ──┐
///            ▲         ▲                                         │ dirty again meanwhile?
///            │         └─────────────────────────────────────────┘
///  AddAfter / AddRateLimited ──► heap ──► timer
/// </code>
/// Guarantees: a key is never with two workers at once; any number of adds while it waits make one run; an add while it runs makes
/// exactly one more run. Keys carry no object: whoever works reads the newest state from a store. Thread-safe.
/// </remarks>
/// <typeparam name="TKey">Identifies the work; compared by value.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "A work queue is what the field calls this.")]
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly WorkQueueMetrics _metrics;
    private readonly ItemBackoff<TKey> _backoff;
    private readonly ITimer _timer;

    // The timestamps make the sets serve the metrics too.
    private readonly Dictionary<TKey, long> _dirty = [];
    private readonly Dictionary<TKey, long> _processing = [];
    private readonly Queue<TKey> _ready = new();
    private readonly DelayHeap<TKey> _waiting = new();

    // One permit per key in _ready, and one more for ever once shut down: it is what wakes the workers one after the other to end.
    private readonly SemaphoreSlim _permits = new(0);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _shutDown;
    private bool _disposed;

    /// <summary>Creates a queue.</summary>
    /// <param name="name">Value of the metrics' <c>name</c> tag.</param>
    /// <param name="time">Clock of delays and metrics.</param>
    /// <param name="backoff">Delays after failures; default 5 ms doubling to 1000 s.</param>
    public WorkQueue(string name, TimeProvider time, ItemBackoff<TKey>? backoff = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _backoff = backoff ?? new ItemBackoff<TKey>();
        _metrics = new WorkQueueMetrics(name, () => Count, Running);
        _timer = time.CreateTimer(_ => ReleaseDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keys that wait for a worker now; neither delayed ones nor those being worked on.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _ready.Count;
            }
        }
    }

    /// <summary>Adds a key now. Does nothing when it waits already, or after the shut-down.</summary>
    public void Add(TKey key)
    {
        lock (_gate)
        {
            AddLocked(key);
        }
    }

    /// <summary>Adds a key after a delay; of several delays for one key the one that ends first wins.</summary>
    /// <remarks>A direct <see cref="Add"/> does not take the delayed one back: the key then runs twice, which is harmless.</remarks>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_gate)
        {
            if (_shutDown)
            {
                return;
            }

            _metrics.Retried();
            var ticks = (long)Math.Min(delay.TotalSeconds * _time.TimestampFrequency, long.MaxValue / 4.0);
            if (_waiting.Schedule(key, _time.GetTimestamp() + ticks))
            {
                ArmLocked();
            }
        }
    }

    /// <summary>Adds a key after the delay its failures so far call for, and counts one more.</summary>
    /// <param name="key">The key.</param>
    /// <param name="atLeast">A longer delay that somebody else asks for, such as a server's Retry-After.</param>
    public void AddRateLimited(TKey key, TimeSpan atLeast = default)
    {
        var delay = _backoff.Next(key);
        AddAfter(key, delay > atLeast ? delay : atLeast);
    }

    /// <summary>The key succeeded: its next failure starts with the shortest delay again.</summary>
    public void Forget(TKey key) => _backoff.Forget(key);

    /// <summary>How often the key failed in a row.</summary>
    public int Failures(TKey key) => _backoff.Failures(key);

    /// <summary>Waits for a key; <see cref="WorkItem{TKey}.HasKey"/> is false when the queue is shut down and empty. The caller must call
    /// <see cref="Done"/> for the key.</summary>
    public async ValueTask<WorkItem<TKey>> GetAsync(CancellationToken cancellationToken)
    {
        await _permits.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            if (!_ready.TryDequeue(out var key))
            {
                _permits.Release();
                return default;
            }

            var now = _time.GetTimestamp();
            _dirty.Remove(key, out var added);
            _processing[key] = now;
            _metrics.Taken(_time.GetElapsedTime(added, now));
            return new WorkItem<TKey>(true, key);
        }
    }

    /// <summary>The work on a key ended, well or badly. If it was added meanwhile it is queued again.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (!_processing.Remove(key, out var started))
            {
                return;
            }

            _metrics.Finished(_time.GetElapsedTime(started));
            if (_dirty.ContainsKey(key))
            {
                PushLocked(key);
            }
            else
            {
                SignalDrainedLocked();
            }
        }
    }

    /// <summary>Refuses further keys and drops the delayed ones; what waits can still be taken, then <see cref="GetAsync"/> returns an
    /// empty lease.</summary>
    public void ShutDown()
    {
        lock (_gate)
        {
            if (_shutDown)
            {
                return;
            }

            _shutDown = true;
            _waiting.Clear();
            ArmLocked();
            _permits.Release();
            SignalDrainedLocked();
        }
    }

    /// <summary>Shuts down and waits until everything that was queued is done.</summary>
    public Task ShutDownWithDrainAsync(CancellationToken cancellationToken)
    {
        ShutDown();
        return _drained.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Shuts down and takes the queue out of the metrics.</summary>
    public void Dispose()
    {
        ShutDown();
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        // Not the semaphore: workers may still be on their way out, and it holds no handle.
        _timer.Dispose();
        _metrics.Dispose();
    }

    private void AddLocked(TKey key)
    {
        if (_shutDown || !_dirty.TryAdd(key, _time.GetTimestamp()))
        {
            return;
        }

        _metrics.Added();
        if (!_processing.ContainsKey(key))
        {
            PushLocked(key);
        }
    }

    private void PushLocked(TKey key)
    {
        _ready.Enqueue(key);
        _permits.Release();
    }

    private void SignalDrainedLocked()
    {
        if (_shutDown && _processing.Count == 0 && _ready.Count == 0)
        {
            _drained.TrySetResult();
        }
    }

    private void ReleaseDue()
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            while (_waiting.TryTakeDue(now, out var key))
            {
                AddLocked(key);
            }

            ArmLocked();
        }
    }

    private void ArmLocked()
    {
        if (_disposed)
        {
            return;
        }

        var due = Timeout.InfiniteTimeSpan;
        if (_waiting.NextAt is { } at)
        {
            // Timers count whole milliseconds: round up, or the timer would fire just before the key is due and spin. They also have an
            // upper end.
            var left = _time.GetElapsedTime(_time.GetTimestamp(), at);
            due = TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(left.TotalMilliseconds), 1, int.MaxValue));
        }

        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private (double Unfinished, double Longest) Running()
    {
        lock (_gate)
        {
            var (sum, longest) = (0.0, 0.0);
            foreach (var started in _processing.Values)
            {
                var seconds = _time.GetElapsedTime(started).TotalSeconds;
                sum += seconds;
                longest = Math.Max(longest, seconds);
            }

            return (sum, longest);
        }
    }
}
