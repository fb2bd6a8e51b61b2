using System.Collections.Concurrent;

namespace Berth.Edge;

/// <summary>
/// The table of everything that is under way for somebody and may last: requests to workspaces, live pages, followed logs.
/// </summary>
internal sealed class OpenConnections(ISessionState sessions, IWorkspaceDirectory directory, TimeProvider clock) : IOpenConnections
{
    private readonly ConcurrentDictionary<OpenConnection, byte> _open = new();

    /// <inheritdoc/>
    public int Count => _open.Count(c => c.Key.IsStream);

    /// <summary>
    /// Adds a connection; dispose the result when it has ended. Its token is cancelled when it is cut or its time is over: at once, when what
    /// allowed it was withdrawn between the decision and now.
    /// </summary>
    /// <param name="caller">For whom it is open.</param>
    /// <param name="until">When it ends in any case.</param>
    /// <param name="access">The workspace it leads to; null where it is about the caller alone.</param>
    /// <param name="request">What was decided about.</param>
    /// <param name="isStream">Whether it stays open by its nature, to be counted.</param>
    public OpenConnection Add(
        Caller caller, DateTimeOffset until, WorkspaceAccess? access = null, AccessRequest request = default, bool isStream = true)
    {
        var connection = new OpenConnection(this, caller, access, request, isStream, clock, until);
        _open[connection] = 0;

        // Whoever withdraws something changes it first and cuts then: either they see this entry, or the change is seen here.
        if (!Holds(connection))
        {
            connection.Cut();
        }

        return connection;
    }

    /// <inheritdoc/>
    public bool IsOpen(string workspaceNamespace, string workspaceName) =>
        _open.Any(c => c.Key.IsStream && c.Key.IsOf(workspaceNamespace, workspaceName));

    /// <inheritdoc/>
    public int CutSession(string sessionId) => Cut(c => c.Caller.SessionId == sessionId);

    /// <inheritdoc/>
    public int CutToken(Guid token) => Cut(c => c.Caller.PersonalToken == token);

    /// <inheritdoc/>
    public int CutPerson(string issuer, string subject) => Cut(c => c.Caller.Issuer == issuer && c.Caller.Subject == subject);

    /// <inheritdoc/>
    public int CutWorkspace(string workspaceNamespace, string workspaceName) => Cut(c => c.IsOf(workspaceNamespace, workspaceName));

    /// <inheritdoc/>
    public int Review(WorkspaceEntry workspace) => Cut(c => c.IsOf(workspace.Namespace, workspace.Name) && !IsAllowed(c, workspace));

    private bool Holds(OpenConnection connection)
    {
        var caller = connection.Caller;
        var isKnown = caller.SessionId is { } session
            ? sessions.IsLive(new SessionKey(session, caller.Issuer, caller.Subject, caller.Epoch))
            : !sessions.IsDisabled(caller.Issuer, caller.Subject)
                && !(caller.PersonalToken is { } token && sessions.IsTokenRevoked(token));
        return isKnown && (connection.Access is not { } access
            || (directory.TryFindByHost(access.Workspace.Host, out var now) && IsAllowed(connection, now)));
    }

    private bool IsAllowed(OpenConnection connection, WorkspaceEntry now) =>
        connection.Access!.StillHolds(now, connection.Request, clock.GetUtcNow());

    private int Cut(Func<OpenConnection, bool> which)
    {
        var count = 0;
        foreach (var (connection, _) in _open)
        {
            count += which(connection) && connection.Cut() ? 1 : 0;
        }

        return count;
    }

    private bool Remove(OpenConnection connection) => _open.TryRemove(connection, out _);

    /// <summary>One of them.</summary>
    internal sealed class OpenConnection : IDisposable
    {
        private static readonly TimeSpan Longest = TimeSpan.FromDays(31);
        private readonly OpenConnections _table;
        private readonly CancellationTokenSource _end;

        public OpenConnection(OpenConnections table, Caller caller, WorkspaceAccess? access, AccessRequest request, bool isStream,
            TimeProvider clock, DateTimeOffset until)
        {
            _table = table;
            Caller = caller;
            Access = access;
            Request = request;
            IsStream = isStream;
            var left = until - clock.GetUtcNow();

            // A timer takes at most 49 days; sessions last at most 31, personal tokens a year. Whoever is cut off after a month comes back.
            left = left < Longest ? left : Longest;
            _end = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock);
            Token = _end.Token;
        }

        public Caller Caller { get; }

        public WorkspaceAccess? Access { get; }

        public AccessRequest Request { get; }

        public bool IsStream { get; }

        public CancellationToken Token { get; }

        public bool IsOf(string workspaceNamespace, string workspaceName) =>
            Access?.Workspace.Name == workspaceName && Access.Workspace.Namespace == workspaceNamespace;

        public bool Cut()
        {
            if (!_table.Remove(this))
            {
                return false;
            }

            try
            {
                // Not synchronously: whoever cuts a hundred must not run what follows each of them.
                _ = _end.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                return false;
            }

            return true;
        }

        public void Dispose()
        {
            _table.Remove(this);
            _end.Dispose();
        }
    }
}
