using System.Collections.Concurrent;

namespace Berth.Edge;

/// <summary>
/// The table of everything that is under way for somebody and may last: requests to workspaces, live pages, followed logs.
/// </summary>
/// <remarks>
/// One timer for all: it waits for the earliest end of those that were there when it was set. Nearly all requests end long before theirs,
/// so that it is set anew once in many thousands of them.
/// </remarks>
internal sealed class OpenConnections : IOpenConnections, IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(31);
    private readonly ConcurrentDictionary<OpenConnection, byte> _open = new();
    private readonly ISessionState _sessions;
    private readonly IWorkspaceDirectory _directory;
    private readonly SessionUse _use;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly Lock _setting = new();
    private long _next = long.MaxValue;

    public OpenConnections(ISessionState sessions, IWorkspaceDirectory directory, SessionUse use, TimeProvider clock)
    {
        (_sessions, _directory, _use, _clock) = (sessions, directory, use, clock);
        _timer = clock.CreateTimer(
            static t => ((OpenConnections)t!).CutOverdue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        use.WhenIdle = id => Cut(c => c.IsStream && c.Caller.SessionId == id, EndReason.SessionEnded);
    }

    /// <inheritdoc/>
    public int Count => _open.Count(c => c.Key.IsStream);

    /// <inheritdoc/>
    public int WebSockets => _open.Count(c => c.Key.IsStream && c.Key.Request.IsUpgrade);

    /// <summary>
    /// Adds a connection; dispose the result when it has ended. Its token is cancelled when it is cut or its time is over: at once, when
    /// what allowed it was withdrawn between the decision and now.
    /// </summary>
    /// <param name="caller">For whom it is open.</param>
    /// <param name="until">When it ends in any case.</param>
    /// <param name="access">The workspace it leads to; null where it is about the caller alone.</param>
    /// <param name="request">What was decided about.</param>
    /// <param name="isStream">Whether it stays open by its nature: it is counted, and ends when nobody uses its session.</param>
    public OpenConnection Add(
        Caller caller, DateTimeOffset until, WorkspaceAccess? access = null, AccessRequest request = default, bool isStream = true)
    {
        var connection = new OpenConnection(this, caller, access, request, isStream ? _use.Open(caller) : null, isStream)
        {
            Due = DueAt(until),
            OverdueAs = until < caller.ExpiresAt ? EndReason.AccessEnded : EndReason.SessionEnded,
        };
        _open[connection] = 0;

        // Whoever withdraws something changes it first and cuts then: either they see this entry, or the change is seen here.
        if (!HoldsSession(caller))
        {
            connection.Cut(EndReason.SignedOut);
        }
        else if (!HoldsAccess(connection))
        {
            connection.Cut(EndReason.AccessEnded);
        }
        else
        {
            WakeAt(connection.Due);
        }

        return connection;
    }

    /// <summary>Sessions that something is open for.</summary>
    public IReadOnlyCollection<string> Sessions() =>
        _open.Where(c => c.Key.Caller.SessionId is not null).Select(c => c.Key.Caller.SessionId!).ToHashSet(StringComparer.Ordinal);

    /// <inheritdoc/>
    public bool IsOpen(string workspaceNamespace, string workspaceName) =>
        _open.Any(c => c.Key.IsStream && c.Key.IsOf(workspaceNamespace, workspaceName));

    /// <inheritdoc/>
    public int CutSession(string sessionId) => Cut(c => c.Caller.SessionId == sessionId, EndReason.SignedOut);

    /// <inheritdoc/>
    public int CutToken(Guid token) => Cut(c => c.Caller.PersonalToken == token, EndReason.SignedOut);

    /// <inheritdoc/>
    public int CutPerson(string issuer, string subject) =>
        Cut(c => c.Caller.Issuer == issuer && c.Caller.Subject == subject, EndReason.SignedOut);

    /// <inheritdoc/>
    public int CutWorkspace(string workspaceNamespace, string workspaceName) =>
        Cut(c => c.IsOf(workspaceNamespace, workspaceName), EndReason.WorkspaceStopped);

    /// <inheritdoc/>
    public int Review(WorkspaceEntry workspace) =>
        Cut(c => c.IsOf(workspace.Namespace, workspace.Name) && !IsAllowed(c, workspace), EndReason.AccessEnded);

    /// <inheritdoc/>
    public int CutAll() => Cut(_ => true, EndReason.GoingAway);

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    // A timer takes at most 49 days; sessions last at most 31, personal tokens a year. Whoever is cut off after a month comes back.
    private long DueAt(DateTimeOffset until)
    {
        var left = until - _clock.GetUtcNow();
        left = left < TimeSpan.Zero ? TimeSpan.Zero : left < Longest ? left : Longest;
        var (seconds, rest) = Math.DivRem(left.Ticks, TimeSpan.TicksPerSecond);
        return _clock.GetTimestamp() + (seconds * _clock.TimestampFrequency) + (rest * _clock.TimestampFrequency / TimeSpan.TicksPerSecond);
    }

    private void WakeAt(long due)
    {
        // The entry is in the table before this is read, and this is raised before the table is read: one of the two sees the other.
        Interlocked.MemoryBarrier();
        if (due >= Volatile.Read(ref _next))
        {
            return;
        }

        lock (_setting)
        {
            if (due < _next)
            {
                _next = due;
                var left = _clock.GetElapsedTime(_clock.GetTimestamp(), due);
                _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void CutOverdue()
    {
        lock (_setting)
        {
            _next = long.MaxValue;
        }

        Interlocked.MemoryBarrier();
        var now = _clock.GetTimestamp();
        var next = long.MaxValue;
        foreach (var (connection, _) in _open)
        {
            if (connection.Due <= now)
            {
                connection.Cut(connection.OverdueAs);
            }
            else
            {
                next = Math.Min(next, connection.Due);
            }
        }

        if (next < long.MaxValue)
        {
            WakeAt(next);
        }
    }

    private bool HoldsSession(Caller caller) => caller.SessionId is { } session
        ? _sessions.IsLive(new SessionKey(session, caller.Issuer, caller.Subject, caller.Epoch))
        : !_sessions.IsDisabled(caller.Issuer, caller.Subject)
            && !(caller.PersonalToken is { } token && _sessions.IsTokenRevoked(token));

    private bool HoldsAccess(OpenConnection connection) => connection.Access is not { } access
        || (_directory.TryFindByHost(access.Workspace.Host, out var now) && IsAllowed(connection, now));

    private bool IsAllowed(OpenConnection connection, WorkspaceEntry now) =>
        connection.Access!.StillHolds(now, connection.Request, _clock.GetUtcNow());

    private int Cut(Func<OpenConnection, bool> which, EndReason reason)
    {
        var count = 0;
        foreach (var (connection, _) in _open)
        {
            count += which(connection) && connection.Cut(reason) ? 1 : 0;
        }

        return count;
    }

    private bool Remove(OpenConnection connection) => _open.TryRemove(connection, out _);

    /// <summary>One of them.</summary>
    internal sealed class OpenConnection(
        OpenConnections table, Caller caller, WorkspaceAccess? access, AccessRequest request, SessionUse.Lease? session, bool isStream)
        : IDisposable
    {
        private readonly CancellationTokenSource _end = new();

        public Caller Caller { get; } = caller;

        public WorkspaceAccess? Access { get; } = access;

        public AccessRequest Request { get; } = request;

        public bool IsStream { get; } = isStream;

        /// <summary>When its time is over, as a timestamp of the clock.</summary>
        public required long Due { get; init; }

        /// <summary>What that end is.</summary>
        public required EndReason OverdueAs { get; init; }

        /// <summary>Use of its session is noted here; null without one.</summary>
        public SessionUse.Lease? Session { get; } = session;

        /// <summary>What is done before it is cut, such as a close frame: bounded, and never throws. The default is nothing.</summary>
        public Func<EndReason, Task>? Farewell { get; set; }

        /// <summary>Why it was cut; null while it was not.</summary>
        public EndReason? Ended { get; private set; }

        public CancellationToken Token => _end.Token;

        /// <summary>What ends it, for what has reasons of its own to.</summary>
        public CancellationTokenSource End => _end;

        public bool IsOf(string workspaceNamespace, string workspaceName) =>
            Access?.Workspace.Name == workspaceName && Access.Workspace.Namespace == workspaceNamespace;

        public bool Cut(EndReason reason)
        {
            if (!table.Remove(this))
            {
                return false;
            }

            Ended = reason;
            _ = EndAsync(reason);
            return true;
        }

        public void Dispose()
        {
            table.Remove(this);
            Session?.Dispose();
            _end.Dispose();
        }

        private async Task EndAsync(EndReason reason)
        {
            if (Farewell is { } farewell)
            {
                await farewell(reason).ConfigureAwait(false);
            }

            try
            {
                // Not synchronously: whoever cuts a hundred must not run what follows each of them.
                await _end.CancelAsync().ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                // It has ended by itself.
            }
        }
    }
}
