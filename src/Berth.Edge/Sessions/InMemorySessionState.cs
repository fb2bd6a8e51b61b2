using System.Collections.Concurrent;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Revocations of this process only: enough for one replica, and the fallback where no account store is composed.</summary>
internal sealed class InMemorySessionState(TimeProvider clock) : ISessionState
{
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, DateTimeOffset> _idleEnds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _revoked = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public SessionState StandingOf(in SessionKey session) =>
        _revoked.ContainsKey(session.SessionId) ? SessionState.Revoked : SessionState.Active;

    /// <inheritdoc/>
    public bool IsDisabled(string issuer, string subject) => false;

    /// <inheritdoc/>
    public void Touch(in SessionKey session, DateTimeOffset at, DateTimeOffset idleEnd)
    {
        _idleEnds[session.SessionId] = idleEnd;
        if (_idleEnds.Count > Most)
        {
            foreach (var over in _idleEnds.Where(e => e.Value < at))
            {
                _idleEnds.TryRemove(over);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> IdleEndAsync(SessionKey session, CancellationToken cancellationToken) =>
        new(StandingOf(session) == SessionState.Active && _idleEnds.TryGetValue(session.SessionId, out var end) ? end : null);

    /// <inheritdoc/>
    public void Enter(in SessionKey session, string workspace, DateTimeOffset at)
    {
    }

    /// <inheritdoc/>
    public ValueTask RevokeAsync(SessionKey session, DateTimeOffset forgetAfter, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        _revoked[session.SessionId] = forgetAfter;

        // A logout is rare; the sweep here keeps the table bounded by the logouts of one absolute session lifetime without a timer.
        foreach (var (id, until) in _revoked)
        {
            if (until < now)
            {
                _revoked.TryRemove(id, out _);
            }
        }

        return ValueTask.CompletedTask;
    }
}
