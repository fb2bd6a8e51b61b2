using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Berth.Edge;

/// <summary>What this replica has seen of use: an entry for each workspace that was used, or is about to be stopped.</summary>
internal sealed class ActivityTable
{
    private readonly ConcurrentDictionary<string, WorkspaceUse> _uses = new(StringComparer.Ordinal);

    // Names whose use has to be looked at before the next heartbeat. When more than this wait, the heartbeat sees to them.
    private readonly Channel<string> _urgent = Channel.CreateBounded<string>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Workspaces with an entry.</summary>
    public IEnumerable<WorkspaceUse> All => _uses.Values;

    /// <summary>Names to look at now: a stop was announced, or use was seen after it.</summary>
    public ChannelReader<string> Urgent => _urgent.Reader;

    /// <summary>The entry, made when there is none.</summary>
    public WorkspaceUse Of(string name) =>
        _uses.TryGetValue(name, out var use) ? use : _uses.GetOrAdd(name, n => new WorkspaceUse(n, Hurry));

    /// <summary>The entry, if there is one.</summary>
    public WorkspaceUse? Find(string name) => _uses.GetValueOrDefault(name);

    /// <summary>The workspace is gone.</summary>
    public void Remove(string name) => _uses.TryRemove(name, out _);

    /// <summary>Have it looked at now.</summary>
    public void Hurry(string name) => _urgent.Writer.TryWrite(name);
}
