using System.Runtime.CompilerServices;
using Npgsql;

namespace Berth.Accounts;

/// <summary>The audit chain in PostgreSQL. Written by the outbox; the chain itself is made by a trigger.</summary>
internal sealed class PostgresAuditLog(AccountsDatabase database, AccountsOutbox outbox) : IAuditLog
{
    // Some hundred kilobytes a page: few round trips, little memory.
    private const int Page = 1000;

    // Seconds of work for a database with years of events in it; no sign-in waits behind the lock for longer than one step.
    private const int ExpireStep = 5000;

    /// <inheritdoc/>
    public async IAsyncEnumerable<AuditEntry> ReadAsync(
        AuditRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(range);
        const string Sql = """
            SELECT seq, id, at, issuer, subject, action, object, outcome, request_id, previous, hash FROM berth.audit_events
            WHERE seq > $1 AND ($2 IS NULL OR at >= $2) AND ($3 IS NULL OR at < $3)
                AND ($4 IS NULL OR (issuer = $4 AND subject = $5))
            ORDER BY seq LIMIT $6
            """;
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        for (long after = 0; ;)
        {
            var from = after;
            var page = await database.ListAsync(
                Sql,
                () =>
                [
                    Parameter.Long(from), Parameter.Time(range.From), Parameter.Time(range.To), Parameter.Text(range.Actor?.Issuer),
                    Parameter.Text(range.Actor?.Subject), Parameter.Long(Page),
                ],
                Read,
                cancellationToken).ConfigureAwait(false);
            foreach (var entry in page)
            {
                yield return entry;
            }

            if (page.Count < Page)
            {
                yield break;
            }

            after = page[^1].Sequence;
        }
    }

    /// <inheritdoc/>
    public async Task<AuditVerification> VerifyAsync(AuditAnchor? anchor, CancellationToken cancellationToken)
    {
        var first = await database.FirstAsync("SELECT min(seq) FROM berth.audit_events", () => [], r => r.IsDBNull(0) ? 0L : r.GetInt64(0),
            cancellationToken).ConfigureAwait(false);
        var checkpoint = await database.FirstAsync(
            "SELECT seq, hash FROM berth.audit_checkpoints WHERE $1 = 0 OR seq < $1 ORDER BY seq DESC LIMIT 1",
            () => [Parameter.Long(first)],
            r => (AuditAnchor?)new AuditAnchor(r.GetInt64(0), Convert.ToHexStringLower(r.GetFieldValue<byte[]>(1))),
            cancellationToken).ConfigureAwait(false);
        var chain = new AuditChain(checkpoint, anchor);
        await foreach (var entry in ReadAsync(new AuditRange(), cancellationToken).ConfigureAwait(false))
        {
            chain.Add(entry);
            if (!chain.IsWhole)
            {
                break;
            }
        }

        return chain.Finish();
    }

    /// <inheritdoc/>
    public async Task<long> ExpireAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var total = 0L;
        while (true)
        {
            try
            {
                // The last step of a round finds the event that says so among what is left; that one is young.
                var removed = await database.FirstAsync(
                    "SELECT berth.expire_audit_events($1, $2::int)",
                    () => [Parameter.Time(before), Parameter.Long(ExpireStep)],
                    r => r.GetInt64(0),
                    cancellationToken).ConfigureAwait(false);
                total += removed;
                if (removed < ExpireStep)
                {
                    return total;
                }
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                throw new InvalidOperationException(error.MessageText, error);
            }
        }
    }

    private static AuditEntry Read(NpgsqlDataReader r) => new(
        r.GetInt64(0),
        new AuditEvent
        {
            Id = r.GetGuid(1),
            At = r.GetFieldValue<DateTimeOffset>(2),
            Actor = r.IsDBNull(3) ? null : new PersonKey(r.GetString(3), r.IsDBNull(4) ? "" : r.GetString(4)),
            Action = r.GetString(5),
            Target = r.IsDBNull(6) ? null : r.GetString(6),
            Outcome = r.GetString(7),
            RequestId = r.IsDBNull(8) ? null : r.GetString(8),
        },
        r.GetFieldValue<byte[]>(9),
        r.GetFieldValue<byte[]>(10));

    // What this replica has queued belongs into the answer; a database that cannot be written can still be read.
    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await outbox.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (AccountsResilience.IsTransient(error))
        {
        }
    }
}
