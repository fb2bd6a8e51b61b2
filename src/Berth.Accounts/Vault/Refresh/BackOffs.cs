namespace Berth.Accounts;

/// <summary>
/// Waits after failures, per stored token and in this process: doubling, with jitter, so that replicas do not come back as one.
/// </summary>
internal sealed class BackOffs(TimeSpan first, TimeSpan longest, TimeProvider clock)
{
    private const int Capacity = 10_000;
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, (int Failures, long Since, TimeSpan Wait, string Detail, bool Complain)> _waits = [];

    /// <summary>Time to wait yet, and what had happened; null when there is nothing to wait for.</summary>
    public (TimeSpan Remaining, string Detail, bool Complain)? Find(Guid id)
    {
        lock (_gate)
        {
            return _waits.TryGetValue(id, out var wait) && wait.Wait - clock.GetElapsedTime(wait.Since) is var left && left > TimeSpan.Zero
                ? (left, wait.Detail, wait.Complain)
                : null;
        }
    }

    /// <summary>Notes a failure.</summary>
    /// <param name="id">The token.</param>
    /// <param name="atLeast">What the provider asked for.</param>
    /// <param name="detail">What happened.</param>
    /// <param name="complain">Whether it is a matter of configuration.</param>
    /// <returns>How long to wait.</returns>
    public TimeSpan Fail(Guid id, TimeSpan? atLeast, string detail, bool complain)
    {
        lock (_gate)
        {
            if (_waits.Count >= Capacity)
            {
                foreach (var old in _waits.Where(w => clock.GetElapsedTime(w.Value.Since) > longest).Select(w => w.Key).ToList())
                {
                    _waits.Remove(old);
                }
            }

            var failures = _waits.GetValueOrDefault(id).Failures + 1;
            var full = Math.Min(longest.Ticks, first.Ticks * Math.Pow(2, Math.Min(failures - 1, 30)));
            var wait = TimeSpan.FromTicks((long)(full * (0.5 + (Random.Shared.NextDouble() / 2))));
            wait = atLeast > wait ? atLeast.Value : wait;
            _waits[id] = (failures, clock.GetTimestamp(), wait, detail, complain);
            return wait;
        }
    }

    /// <summary>It works again.</summary>
    public void Clear(Guid id)
    {
        lock (_gate)
        {
            _waits.Remove(id);
        }
    }
}
