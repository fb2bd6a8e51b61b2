using System.Runtime.CompilerServices;

namespace Berth.Accounts;

/// <summary>The audit chain of one process: the same hashes, and the oldest events go when there are too many.</summary>
internal sealed class InMemoryAuditLog : IAuditLog
{
    // The audit log of a development machine: enough to look at, bounded so that a process can stay up for weeks.
    private const int Capacity = 10_000;

    private readonly Lock _gate = new();
    private readonly Queue<AuditEntry> _entries = new();
    private readonly HashSet<Guid> _ids = [];
    private AuditAnchor? _checkpoint;
    private long _sequence;
    private byte[] _hash = new byte[32];

    /// <summary>Appends an event; one that is there already changes nothing.</summary>
    public void Append(AuditEvent auditEvent)
    {
        lock (_gate)
        {
            // To the microsecond and without what text cannot hold, as in the database.
            var e = auditEvent with
            {
                At = new DateTimeOffset(auditEvent.At.UtcTicks / 10 * 10, TimeSpan.Zero),
                Target = auditEvent.Target is null ? null : Parameter.Clean(auditEvent.Target),
            };
            if (!_ids.Add(e.Id))
            {
                return;
            }

            var hash = AuditChain.Hash(_hash, ++_sequence, e);
            _entries.Enqueue(new AuditEntry(_sequence, e, _hash, hash));
            _hash = hash;
            if (_entries.Count > Capacity)
            {
                RemoveFirst();
            }
        }
    }

    /// <summary>All entries as they are now.</summary>
    public IReadOnlyList<AuditEntry> Snapshot()
    {
        lock (_gate)
        {
            return [.. _entries];
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<AuditEntry> ReadAsync(
        AuditRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(range);
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var entry in Snapshot())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if ((range.From is null || entry.Event.At >= range.From) && (range.To is null || entry.Event.At < range.To)
                && (range.Actor is null || entry.Event.Actor == range.Actor))
            {
                yield return entry;
            }
        }
    }

    /// <inheritdoc/>
    public Task<AuditVerification> VerifyAsync(AuditAnchor? anchor, CancellationToken cancellationToken)
    {
        AuditChain chain;
        IReadOnlyList<AuditEntry> entries;
        lock (_gate)
        {
            chain = new AuditChain(_checkpoint, anchor);
            entries = [.. _entries];
        }

        foreach (var entry in entries)
        {
            chain.Add(entry);
        }

        return Task.FromResult(chain.Finish());
    }

    /// <inheritdoc/>
    public Task<long> ExpireAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var removed = 0L;
            while (_entries.TryPeek(out var first) && first.Event.At < before)
            {
                RemoveFirst();
                removed++;
            }

            return Task.FromResult(removed);
        }
    }

    private void RemoveFirst()
    {
        var first = _entries.Dequeue();
        _ids.Remove(first.Event.Id);
        _checkpoint = new AuditAnchor(first.Sequence, Convert.ToHexStringLower(first.Hash.Span));
    }
}
