using System.Collections.Concurrent;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Calls on their way: each ends with the proof of who made it, and at once when that is revoked.</summary>
internal sealed class UpstreamOpenCalls : IDisposable
{
    private readonly ConcurrentDictionary<Entry, byte> _open = new();
    private readonly IAccountStore _accounts;
    private readonly TimeProvider _clock;

    public UpstreamOpenCalls(IAccountStore accounts, TimeProvider clock)
    {
        (_accounts, _clock) = (accounts, clock);
        accounts.Revocations.Revoked += Cut;
    }

    /// <summary>Adds a call; dispose the result when it has ended.</summary>
    public Entry Add(Caller caller, TimeSpan most)
    {
        var left = caller.ExpiresAt + JwtClaims.Skew - _clock.GetUtcNow();
        var entry = new Entry(this, caller, new CancellationTokenSource(left < most && left > TimeSpan.Zero ? left : most, _clock));
        _open[entry] = 0;
        return entry;
    }

    /// <inheritdoc/>
    public void Dispose() => _accounts.Revocations.Revoked -= Cut;

    private void Cut(Revocation revocation)
    {
        foreach (var entry in _open.Keys.Where(e => e.IsHitBy(revocation)))
        {
            entry.Cut();
        }
    }

    /// <summary>One call.</summary>
    internal sealed class Entry(UpstreamOpenCalls table, Caller caller, CancellationTokenSource end) : IDisposable
    {
        /// <summary>Ends the call.</summary>
        public CancellationToken Token { get; } = end.Token;

        /// <summary>What ends it, for what has reasons of its own to.</summary>
        public CancellationTokenSource End => end;

        /// <summary>Whether somebody ended it, rather than time.</summary>
        public bool IsRevoked { get; private set; }

        /// <summary>Whether a revocation means this caller.</summary>
        public bool IsHitBy(Revocation revocation) => (revocation.SessionId is { } session && session == caller.SessionId)
            || (revocation.PersonalToken is { } token && token == caller.PersonalToken)
            || (revocation.Person is { } person && person == new PersonKey(caller.Issuer, caller.Subject));

        /// <summary>Ends it.</summary>
        public void Cut()
        {
            if (table._open.TryRemove(this, out _))
            {
                IsRevoked = true;
                try
                {
                    _ = end.CancelAsync();
                }
                catch (ObjectDisposedException)
                {
                    // It has just ended by itself.
                }
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            table._open.TryRemove(this, out _);
            end.Dispose();
        }
    }
}
