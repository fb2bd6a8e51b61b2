using System.Collections.Concurrent;

namespace Berth.Accounts;

/// <summary>
/// Thread-safe table of revocations. It only ever gains knowledge: what it learns twice changes nothing, so notices and snapshots may
/// overlap and arrive in any order.
/// </summary>
internal sealed class RevocationTable(TimeProvider clock) : IRevocations
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<PersonKey, long> _epochs = new();
    private volatile bool _current;

    /// <inheritdoc/>
    public event Action<Revocation>? Revoked;

    /// <inheritdoc/>
    public bool IsCurrent
    {
        get => _current;
        internal set => _current = value;
    }

    /// <summary>Number of revoked sessions remembered.</summary>
    public int Count => _sessions.Count;

    /// <inheritdoc/>
    public bool IsRevoked(string sessionId, PersonKey person, long epoch) =>
        _sessions.ContainsKey(sessionId) || (_epochs.TryGetValue(person, out var current) && epoch < current);

    /// <summary>Learns that a session is over.</summary>
    public void AddSession(string sessionId, DateTimeOffset until)
    {
        if (!_sessions.TryAdd(sessionId, until))
        {
            return;
        }

        Sweep();
        Revoked?.Invoke(new Revocation(sessionId, null));
    }

    /// <summary>Learns a person's epoch; a lower one than known changes nothing.</summary>
    public void AddEpoch(PersonKey person, long epoch)
    {
        if (epoch <= 0)
        {
            return;
        }

        var before = _epochs.GetValueOrDefault(person);
        var after = _epochs.AddOrUpdate(person, epoch, (_, known) => Math.Max(known, epoch));
        if (after > before)
        {
            Revoked?.Invoke(new Revocation(null, person));
        }
    }

    // Revocations are rare, so the sweep at each one keeps the table bounded by the revocations of one session lifetime without a timer.
    private void Sweep()
    {
        var now = clock.GetUtcNow();
        foreach (var (id, until) in _sessions)
        {
            if (until < now)
            {
                _sessions.TryRemove(id, out _);
            }
        }
    }
}
