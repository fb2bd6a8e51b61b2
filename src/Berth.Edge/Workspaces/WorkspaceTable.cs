using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Berth.Edge;

/// <summary>
/// The workspaces by host. A change touches one slot, whatever the size of the table; a reader gets an immutable entry without waiting.
/// Those who show workspaces to people subscribe and are told the names that changed.
/// </summary>
internal sealed class WorkspaceTable : IWorkspaceDirectory
{
    private readonly ConcurrentDictionary<string, WorkspaceEntry> _byHost = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private ImmutableArray<Subscription> _subscriptions = [];

    /// <summary>Number of workspaces.</summary>
    public int Count => _byHost.Count;

    /// <inheritdoc/>
    public bool TryFindByHost(string host, [NotNullWhen(true)] out WorkspaceEntry? entry) => _byHost.TryGetValue(host, out entry);

    /// <inheritdoc/>
    public IWorkspaceChanges Subscribe(string name) => Subscribe(n => n == name);

    /// <summary>Adds or replaces; returns what was there before.</summary>
    public WorkspaceEntry? Put(WorkspaceEntry entry)
    {
        _byHost.TryGetValue(entry.Host, out var before);
        _byHost[entry.Host] = entry;
        return before;
    }

    /// <summary>Removes; returns what was there.</summary>
    public WorkspaceEntry? Remove(string host) => _byHost.TryRemove(host, out var before) ? before : null;

    /// <summary>Tells the subscribers of a workspace; call it after the table (and the store behind it) have changed.</summary>
    public void Announce(string name)
    {
        foreach (var subscription in _subscriptions)
        {
            subscription.Offer(name);
        }
    }

    /// <summary>Subscribes to changes; the condition selects workspaces by name.</summary>
    public Subscription Subscribe(Func<string, bool> selects)
    {
        var subscription = new Subscription(this, selects);
        lock (_gate)
        {
            _subscriptions = _subscriptions.Add(subscription);
        }

        return subscription;
    }

    /// <summary>
    /// A signal rather than a queue: whoever shows the state reads it anew when told, so ten changes while they were busy are one. It
    /// starts signalled.
    /// </summary>
    internal sealed class Subscription(WorkspaceTable table, Func<string, bool> selects) : IWorkspaceChanges
    {
        private readonly Channel<byte> _signal = Make();

        /// <summary>Waits for a change since the last return, or for <paramref name="patience"/> to pass.</summary>
        /// <returns>True after a change; false when nothing happened for that long.</returns>
        public async Task<bool> WaitAsync(TimeSpan patience, TimeProvider clock, CancellationToken cancellationToken)
        {
            using var limit = new CancellationTokenSource(patience, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                await _signal.Reader.ReadAsync(either.Token).ConfigureAwait(false);
                return true;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }

        public void Dispose()
        {
            lock (table._gate)
            {
                table._subscriptions = table._subscriptions.Remove(this);
            }
        }

        internal void Offer(string name)
        {
            if (selects(name))
            {
                _signal.Writer.TryWrite(0);
            }
        }

        private static Channel<byte> Make()
        {
            var channel = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
            channel.Writer.TryWrite(0);
            return channel;
        }
    }
}
