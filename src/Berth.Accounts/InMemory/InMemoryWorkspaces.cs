namespace Berth.Accounts;

/// <summary>History and usage of one process; bounded, so that a process can stay up for weeks.</summary>
internal sealed class InMemoryWorkspaces : IWorkspaceRecords, IUsageLedger
{
    private const int Capacity = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string, string), WorkspaceRecord> _records = [];
    private readonly Dictionary<(string, string, DateOnly), UsageSlice> _usage = [];

    /// <inheritdoc/>
    public void Record(WorkspaceRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        lock (_gate)
        {
            if (_records.TryAdd((record.WorkspaceUid, record.Event), record) && _records.Count > Capacity)
            {
                _records.Remove(_records.MinBy(r => r.Value.At).Key);
            }
        }
    }

    /// <inheritdoc/>
    public void Record(UsageSlice slice)
    {
        ArgumentNullException.ThrowIfNull(slice);
        lock (_gate)
        {
            var key = (slice.WorkspaceUid, slice.Run, slice.Day);
            if (!_usage.TryGetValue(key, out var known) || known.Seconds < slice.Seconds)
            {
                _usage[key] = slice;
            }

            if (_usage.Count > Capacity)
            {
                _usage.Remove(_usage.MinBy(u => u.Key.Item3).Key);
            }
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<WorkspaceRecord>> ListAsync(
        PersonKey person, WorkspaceRecordQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        lock (_gate)
        {
            IReadOnlyList<WorkspaceRecord> found =
            [
                .. _records.Values
                    .Where(r => r.Owner == person && (query.Workspace is null || r.Workspace == query.Workspace)
                        && (query.Before is null || r.At < query.Before))
                    .OrderByDescending(r => r.At).ThenByDescending(r => r.Event, StringComparer.Ordinal)
                    .Take(Math.Clamp(query.Limit, 1, 1000)),
            ];
            return Task.FromResult(found);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<UsageDay>> ListAsync(PersonKey person, DateOnly from, DateOnly to, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            IReadOnlyList<UsageDay> days =
            [
                .. _usage.Values
                    .Where(u => u.Owner == person && u.Day >= from && u.Day <= to)
                    .GroupBy(u => (u.Day, u.Workspace))
                    .Select(g => new UsageDay(g.Key.Day, g.Key.Workspace, g.Sum(u => (long)u.Seconds), g.Count()))
                    .OrderBy(u => u.Day).ThenBy(u => u.Workspace, StringComparer.Ordinal),
            ];
            return Task.FromResult(days);
        }
    }
}
