using System.Collections.Concurrent;

namespace Berth.Edge;

/// <summary>Revocations of this process only: enough for one replica, and the fallback where no account store is composed.</summary>
internal sealed class InMemorySessionState(TimeProvider clock) : ISessionState
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _revoked = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public bool IsLive(in SessionKey session) => !_revoked.ContainsKey(session.SessionId);

    /// <inheritdoc/>
    public void Touch(in SessionKey session, DateTimeOffset at)
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
