using System.Collections.Concurrent;

namespace Berth.Accounts;

/// <summary>
/// Thread-safe table of revocations. It only ever gains knowledge: what it learns twice changes nothing, so notices and snapshots may
/// overlap and arrive in any order.
/// </summary>
internal sealed class RevocationTable(TimeProvider clock) : IRevocations
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _tokens = new();
    private readonly ConcurrentDictionary<PersonKey, Standing> _people = new();
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
    public bool IsRevoked(string sessionId, PersonKey person, long epoch) => StandingOf(sessionId, person, epoch) != SessionState.Active;

    /// <inheritdoc/>
    public SessionState StandingOf(string sessionId, PersonKey person, long epoch)
    {
        var known = _people.GetValueOrDefault(person);
        return known.Disabled ? SessionState.Disabled
            : _sessions.ContainsKey(sessionId) ? SessionState.Revoked
            : epoch < known.Epoch ? SessionState.Superseded
            : SessionState.Active;
    }

    /// <inheritdoc/>
    public bool IsDisabled(PersonKey person) => _people.GetValueOrDefault(person).Disabled;

    /// <inheritdoc/>
    public bool IsTokenRevoked(Guid token) => _tokens.ContainsKey(token);

    /// <summary>Learns that a personal token is over.</summary>
    public void AddToken(Guid token, DateTimeOffset until)
    {
        if (!_tokens.TryAdd(token, until))
        {
            return;
        }

        Sweep();
        Revoked?.Invoke(new Revocation(null, null, token));
    }

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

    /// <summary>
    /// Learns a person's epoch, and whether they may sign in; a lower epoch than known changes nothing. Every change of the second raises
    /// the first, so the higher epoch always knows better.
    /// </summary>
    public void AddEpoch(PersonKey person, long epoch, bool disabled = false)
    {
        var before = _people.GetValueOrDefault(person);
        if (epoch <= before.Epoch && (epoch < before.Epoch || disabled == before.Disabled))
        {
            return;
        }

        var told = false;
        _people.AddOrUpdate(
            person,
            _ =>
            {
                told = true;
                return new Standing(epoch, disabled);
            },
            (_, known) =>
            {
                told = epoch > known.Epoch;
                return epoch >= known.Epoch ? new Standing(epoch, disabled) : known;
            });
        if (told)
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

        foreach (var (id, until) in _tokens)
        {
            if (until < now)
            {
                _tokens.TryRemove(id, out _);
            }
        }
    }

    private readonly record struct Standing(long Epoch, bool Disabled);
}
