namespace Kube.Server.Storage;

/// <summary>A change as watches see it. <see cref="Shown"/> of a delete is the last state with the version of the deletion.</summary>
internal sealed record ChangeRecord(long ResourceVersion, GroupResource Resource, StoredObject? Before, StoredObject? After,
    StoredObject Shown);

/// <summary>
/// The latest changes of a collection. Watches hold a version, not a queue: one that falls behind the ring is ended, so no reader can slow
/// a writer or hold memory. Guarded by the store's publish lock.
/// </summary>
internal sealed class EventRing(long floor, int maxCount, long maxBytes)
{
    private readonly List<ChangeRecord> _records = [];
    private int _start;
    private long _bytes;
    private TaskCompletionSource _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Changes up to and including this version may be missing.</summary>
    public long Floor { get; private set; } = floor;

    /// <summary>Completes at the next change.</summary>
    public Task Changed => _signal.Task;

    public void Append(ChangeRecord record)
    {
        _records.Add(record);
        _bytes += record.Shown.Utf8.Length;
        while (_records.Count - _start > maxCount || (_bytes > maxBytes && _records.Count - _start > 1))
        {
            var dropped = _records[_start];
            _records[_start++] = null!;
            _bytes -= dropped.Shown.Utf8.Length;
            Floor = dropped.ResourceVersion;
        }
        if (_start > 1024 && _start > _records.Count / 2)
        {
            _records.RemoveRange(0, _start);
            _start = 0;
        }
    }

    public void Signal()
    {
        var signal = _signal;
        _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        signal.SetResult();
    }

    /// <summary>Copies at most <paramref name="limit"/> changes after a version.</summary>
    public void CopyAfter(long version, List<ChangeRecord> target, int limit)
    {
        int low = _start, high = _records.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_records[middle].ResourceVersion <= version)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        for (; low < _records.Count && target.Count < limit; low++)
        {
            target.Add(_records[low]);
        }
    }

    /// <summary>Changes after a version, newest first (to roll a list back).</summary>
    public List<ChangeRecord> NewestFirst(long after)
    {
        var result = new List<ChangeRecord>();
        for (var i = _records.Count - 1; i >= _start && _records[i].ResourceVersion > after; i--)
        {
            result.Add(_records[i]);
        }
        return result;
    }
}
