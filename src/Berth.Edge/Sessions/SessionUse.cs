using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// The idle limit of sessions that have a stream open. A page load renews the cookie; a WebSocket cannot, so that what is typed there is
/// noted in the session's state, where every replica finds it, and a stream whose session nobody uses ends with it.
/// </summary>
/// <remarks>
/// <code>
/// message -> noted here at once, in the state at most each <see cref="SessionPolicy.RenewalInterval"/>
/// idle time since the last one here is over -> the state knows of later use (a page, another replica)? -> wait for that end
///                                              '-- no: the session's streams end
/// </code>
/// As with cookies, up to one renewal interval of use may be unknown to the others, so that a session may end that much early.
/// </remarks>
internal sealed class SessionUse(EdgeSettings settings, ISessionState state, TimeProvider clock)
{
    // While nobody can tell whether another replica saw use, nothing ends for lack of it; the absolute end holds.
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private readonly EdgeSettings _settings = settings;
    private readonly ISessionState _state = state;
    private readonly TimeProvider _clock = clock;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _open = new(StringComparer.Ordinal);

    /// <summary>Ends what is open for a session; told its id.</summary>
    public Action<string>? WhenIdle { get; set; }

    /// <summary>A stream opens, which is a use; dispose the result when it has ended.</summary>
    /// <returns>Null for a caller without a session.</returns>
    public Lease? Open(Caller caller)
    {
        if (caller.SessionId is not { } id)
        {
            return null;
        }

        lock (_gate)
        {
            if (!_open.TryGetValue(id, out var entry))
            {
                _open[id] = entry = new Entry(this, new SessionKey(id, caller.Issuer, caller.Subject, caller.Epoch), caller.ExpiresAt);
            }

            entry.Streams++;
            entry.Use();
            return new Lease(this, entry);
        }
    }

    private void Close(Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Streams == 0)
            {
                _open.Remove(entry.Key.SessionId);
                entry.Dispose();
            }
        }
    }

    /// <summary>One stream's share in its session.</summary>
    internal sealed class Lease(SessionUse owner, Entry entry) : IDisposable
    {
        private int _isDisposed;

        /// <summary>The session is used now. Called for every message: cheap.</summary>
        public void Used() => entry.Use();

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                owner.Close(entry);
            }
        }
    }

    /// <summary>A session with streams.</summary>
    internal sealed class Entry : IDisposable
    {
        private readonly SessionUse _owner;
        private readonly DateTimeOffset _expiresAt;
        private readonly ITimer _timer;
        private long _last;
        private long _noted;

        public Entry(SessionUse owner, SessionKey key, DateTimeOffset expiresAt)
        {
            (_owner, Key, _expiresAt) = (owner, key, expiresAt);
            _noted = Now.UtcTicks;
            _timer = owner._clock.CreateTimer(
                static s => _ = ((Entry)s!).LookAsync(), this, owner._settings.Sessions.Idle, Timeout.InfiniteTimeSpan);
        }

        public SessionKey Key { get; }

        /// <summary>Streams of it.</summary>
        public int Streams { get; set; }

        private DateTimeOffset Now => _owner._clock.GetUtcNow();

        private DateTimeOffset IdleEnd =>
            _owner._settings.Sessions.IdleEnd(new SessionTimes(new DateTimeOffset(Volatile.Read(ref _last), TimeSpan.Zero), _expiresAt));

        public void Use()
        {
            var now = Now;
            Volatile.Write(ref _last, now.UtcTicks);
            var noted = Volatile.Read(ref _noted);
            if (now.UtcTicks - noted >= _owner._settings.Sessions.RenewalInterval.Ticks
                && Interlocked.CompareExchange(ref _noted, now.UtcTicks, noted) == noted)
            {
                _owner._state.Touch(Key, now, IdleEnd);
            }
        }

        public void Dispose() => _timer.Dispose();

        private async Task LookAsync()
        {
            var now = Now;
            if (IdleEnd > now)
            {
                Wait(IdleEnd - now);
                return;
            }

            DateTimeOffset? known;
            try
            {
                known = await _owner._state.IdleEndAsync(Key, CancellationToken.None).ConfigureAwait(false);
            }
            catch (AccountsUnavailableException)
            {
                Wait(Again);
                return;
            }

            if (known > now)
            {
                Wait(known.Value - now);
            }
            else
            {
                _owner.WhenIdle?.Invoke(Key.SessionId);
            }
        }

        private void Wait(TimeSpan time) => _timer.Change(time, Timeout.InfiniteTimeSpan);
    }
}
