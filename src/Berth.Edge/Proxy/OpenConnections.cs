using System.Collections.Concurrent;

namespace Berth.Edge;

/// <summary>The table of open streams.</summary>
internal sealed class OpenConnections(TimeProvider clock) : IOpenConnections
{
    private readonly ConcurrentDictionary<OpenStream, byte> _open = new();

    /// <inheritdoc/>
    public int Count => _open.Count;

    /// <summary>
    /// Adds a stream; dispose the result when it has ended. Its token is cancelled when the stream is cut or its time is over.
    /// </summary>
    public OpenStream Add(WorkspaceAccess access, AccessRequest request, DateTimeOffset until)
    {
        var stream = new OpenStream(this, access, request, clock, until);
        _open[stream] = 0;
        return stream;
    }

    /// <inheritdoc/>
    public bool IsOpen(string workspaceNamespace, string workspaceName) => _open.Keys.Any(s => s.IsOf(workspaceNamespace, workspaceName));

    /// <inheritdoc/>
    public int CutSession(string sessionId) => Cut(s => s.Access.Caller.SessionId == sessionId);

    /// <inheritdoc/>
    public int CutPerson(string issuer, string subject) => Cut(s => s.Access.Caller.Issuer == issuer && s.Access.Caller.Subject == subject);

    /// <inheritdoc/>
    public int CutWorkspace(string workspaceNamespace, string workspaceName) => Cut(s => s.IsOf(workspaceNamespace, workspaceName));

    /// <inheritdoc/>
    public int Review(WorkspaceEntry workspace)
    {
        var now = clock.GetUtcNow();
        return Cut(s => s.IsOf(workspace.Namespace, workspace.Name)
            && Authorizer.Decide(s.Access.Caller, workspace, s.Request, now) is var decision
            && (decision.Kind != AccessKind.Allow || decision.Role != s.Access.Role));
    }

    private int Cut(Func<OpenStream, bool> which)
    {
        var count = 0;
        foreach (var stream in _open.Keys.Where(which))
        {
            count += stream.Cut() ? 1 : 0;
        }

        return count;
    }

    /// <summary>One open stream.</summary>
    internal sealed class OpenStream : IDisposable
    {
        private readonly OpenConnections _table;
        private readonly CancellationTokenSource _end;

        public OpenStream(OpenConnections table, WorkspaceAccess access, AccessRequest request, TimeProvider clock, DateTimeOffset until)
        {
            _table = table;
            Access = access;
            Request = request;
            var left = until - clock.GetUtcNow();

            // A timer takes at most 49 days; sessions last at most 31.
            _end = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock);
            Token = _end.Token;
        }

        public WorkspaceAccess Access { get; }

        public AccessRequest Request { get; }

        public CancellationToken Token { get; }

        public bool IsOf(string workspaceNamespace, string workspaceName) =>
            Access.Workspace.Name == workspaceName && Access.Workspace.Namespace == workspaceNamespace;

        public bool Cut()
        {
            if (!_table._open.TryRemove(this, out _))
            {
                return false;
            }

            try
            {
                // Not synchronously: whoever cuts a hundred streams must not run what follows each of them.
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
            _table._open.TryRemove(this, out _);
            _end.Dispose();
        }
    }
}
