using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Storage;

/// <summary>
/// The store.
/// <code>
///   writers --> channel --> commit loop: check versions -> stamp -> append + one flush for all -> publish (state, rings)
///               --> answer each writer
///   readers --> State (immutable, swapped);  watches --> rings, by version
/// </code>
/// Nothing is visible before it is durable, so a version that was seen is never given out twice. Only the commit loop writes.
/// </summary>
internal sealed partial class ObjectStore : IAsyncDisposable
{
    private const int MaxBatch = 1024;

    private readonly Lock _publish = new();
    private readonly Dictionary<GroupResource, EventRing> _rings = [];
    private readonly EventRing _all;
    private readonly Channel<Commit> _commits = Channel.CreateUnbounded<Commit>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly StoreSettings _settings;
    private readonly ILogger _logger;
    private readonly Journal _journal;
    private readonly Task _loop;
    private readonly long _historyFloor;
    private volatile StoreState _state;
    private Task _compaction = Task.CompletedTask;

    public ObjectStore(string directory, StoreSettings settings, ILogger logger)
    {
        _settings = settings;
        _logger = logger;
        var tables = new Dictionary<GroupResource, ImmutableSortedDictionary<string, StoredObject>.Builder>();
        var changes = new List<ChangeRecord>();
        long version = 0;
        long floor = 0;
        _journal = Journal.Open(directory, settings.Flush, (record, fromSnapshot) =>
        {
            version = Math.Max(version, record.ResourceVersion);
            if (record.Type == RecordType.SnapshotEnd)
            {
                floor = version;
                return;
            }
            if (!tables.TryGetValue(record.Resource, out var table))
            {
                tables[record.Resource] = table = StoreState.EmptyTable.ToBuilder();
            }
            var stored = StoredObject.FromUtf8(record.Resource, record.Key, record.ResourceVersion, record.Utf8);
            var before = table.GetValueOrDefault(record.Key);
            if (record.Type == RecordType.Put)
            {
                table[record.Key] = stored;
            }
            else
            {
                table.Remove(record.Key);
            }
            if (!fromSnapshot)
            {
                changes.Add(new ChangeRecord(record.ResourceVersion, record.Resource, before, record.Type == RecordType.Put ? stored : null,
                    stored));
            }
        });
        _historyFloor = floor;
        _all = new EventRing(_historyFloor, settings.HistoryEvents, settings.HistoryBytes);
        // A store that was never written to is at 1: 0 means "any version" in the API.
        _state = new StoreState(Math.Max(version, 1), tables.ToImmutableDictionary(pair => pair.Key, pair => pair.Value.ToImmutable()));
        foreach (var change in changes)
        {
            Ring(change.Resource).Append(change);
            _all.Append(change);
        }
        _loop = Task.Run(CommitLoopAsync);
    }

    public StoreState State => _state;

    /// <summary>
    /// Called by the commit loop after changes are visible and before their writers are answered. Must not block or throw.
    /// </summary>
    public Action<IReadOnlyList<ChangeRecord>>? Published { get; set; }

    /// <summary>
    /// Writes an object (or removes it, value null) if it is still at the expected version (0: must not exist). Null: it is not.
    /// </summary>
    public async Task<StoredObject?> CommitAsync(GroupResource resource, string key, long expected, JsonObject? value)
    {
        var commit = new Commit(resource, key, expected, value,
            new TaskCompletionSource<StoredObject?>(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_commits.Writer.TryWrite(commit))
        {
            throw new ApiException(503, "ServiceUnavailable", "the server is shutting down");
        }
        return await commit.Done.Task.ConfigureAwait(false);
    }

    /// <summary>
    /// Changes of a collection (null: of all) after a version, and the version everything until which is in the answer when it is shorter
    /// than the limit.
    /// </summary>
    public WatchBatch ReadAfter(GroupResource? resource, long version, int limit = 256)
    {
        var records = new List<ChangeRecord>();
        lock (_publish)
        {
            var ring = resource is { } one ? Ring(one) : _all;
            if (version < ring.Floor)
            {
                return new WatchBatch(records, version, ring.Floor, true, Task.CompletedTask);
            }
            ring.CopyAfter(version, records, limit);
            return new WatchBatch(records, records.Count < limit ? Math.Max(version, _state.ResourceVersion) : records[^1].ResourceVersion,
                ring.Floor, false, ring.Changed);
        }
    }

    /// <summary>A collection as it was at an earlier version, or null when that is too long ago.</summary>
    public ImmutableSortedDictionary<string, StoredObject>? TableAt(GroupResource resource, long version)
    {
        lock (_publish)
        {
            var table = _state.Table(resource);
            var ring = Ring(resource);
            if (version < ring.Floor)
            {
                return null;
            }
            foreach (var change in ring.NewestFirst(version))
            {
                table = change.Before is null ? table.Remove(change.Shown.Key) : table.SetItem(change.Before.Key, change.Before);
            }
            return table;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _commits.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        await _compaction.ConfigureAwait(false);
        _journal.Dispose();
    }

    private EventRing Ring(GroupResource resource)
    {
        if (!_rings.TryGetValue(resource, out var ring))
        {
            _rings[resource] = ring = new EventRing(_historyFloor, _settings.HistoryEvents, _settings.HistoryBytes);
        }
        return ring;
    }

    private async Task CommitLoopAsync()
    {
        var batch = new List<Commit>();
        while (await _commits.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _commits.Reader.TryRead(out var commit))
            {
                batch.Add(commit);
            }
            Process(batch);
            StartCompaction();
        }
    }

    private void Process(List<Commit> batch)
    {
        var changes = new List<ChangeRecord>();
        var results = new List<(Commit Commit, StoredObject? Result)>();
        var overlay = new Dictionary<(GroupResource, string), StoredObject?>();
        var version = _state.ResourceVersion;
        try
        {
            _buffer.ResetWrittenCount();
            foreach (var commit in batch)
            {
                var at = (commit.Resource, commit.Key);
                var before = overlay.TryGetValue(at, out var pending) ? pending : _state.Get(commit.Resource, commit.Key);
                if ((before?.ResourceVersion ?? 0) != commit.Expected || (commit.Value is null && before is null))
                {
                    results.Add((commit, null));
                    continue;
                }
                version++;
                var shown = StoredObject.Stamp(commit.Resource, commit.Key, version, commit.Value ?? Json.Clone(before!.Value));
                var type = commit.Value is null ? RecordType.Delete : RecordType.Put;
                RecordCodec.Write(_buffer, new JournalRecord(type, version, commit.Resource, commit.Key, shown.Utf8));
                overlay[at] = commit.Value is null ? null : shown;
                changes.Add(new ChangeRecord(version, commit.Resource, before, commit.Value is null ? null : shown, shown));
                results.Add((commit, shown));
            }
            if (changes.Count > 0)
            {
                _journal.Append(_buffer.WrittenSpan);
            }
        }
        catch (Exception e)
        {
            LogCommitFailed(_logger, e);
            foreach (var commit in batch)
            {
                commit.Done.TrySetException(
                    new ApiException(500, "InternalError",
                    $"Internal error occurred: the change could not be written to disk: {e.Message}"));
            }
            return;
        }
        Publish(changes, version);
        foreach (var (commit, result) in results)
        {
            commit.Done.TrySetResult(result);
        }
    }

    private void Publish(List<ChangeRecord> changes, long version)
    {
        if (changes.Count == 0)
        {
            return;
        }
        var tables = _state.Tables;
        foreach (var change in changes)
        {
            var table = tables.GetValueOrDefault(change.Resource) ?? StoreState.EmptyTable;
            tables = tables.SetItem(change.Resource,
                change.After is null ? table.Remove(change.Shown.Key) : table.SetItem(change.Shown.Key, change.After));
        }
        var touched = new HashSet<EventRing> { _all };
        lock (_publish)
        {
            _state = new StoreState(version, tables);
            foreach (var change in changes)
            {
                var ring = Ring(change.Resource);
                ring.Append(change);
                _all.Append(change);
                touched.Add(ring);
            }
        }
        Published?.Invoke(changes);
        lock (_publish)
        {
            foreach (var ring in touched)
            {
                ring.Signal();
            }
        }
    }

    private void StartCompaction()
    {
        if (!_compaction.IsCompleted || _journal.Length < _settings.CompactionBytes)
        {
            return;
        }
        var state = _state;
        try
        {
            var number = _journal.Rotate();
            _compaction = Task.Run(() =>
            {
                try
                {
                    _journal.WriteSnapshot(number, state.ResourceVersion,
                        state.Tables.OrderBy(t => t.Key.ToString(), StringComparer.Ordinal).SelectMany(t => t.Value.Values));
                    LogCompacted(_logger, state.ResourceVersion);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    LogCompactionFailed(_logger, e);
                }
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogCompactionFailed(_logger, e);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Writing to the journal failed; the writes were refused")]
    private static partial void LogCommitFailed(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Debug, "Snapshot written at version {Version}")]
    private static partial void LogCompacted(ILogger logger, long version);

    [LoggerMessage(3, LogLevel.Warning, "Writing a snapshot failed; the journal keeps growing until one succeeds")]
    private static partial void LogCompactionFailed(ILogger logger, Exception exception);

    private sealed record Commit(GroupResource Resource, string Key, long Expected, JsonObject? Value,
        TaskCompletionSource<StoredObject?> Done);
}
