using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>Audit events on their way into the chain.</summary>
internal sealed partial class AccountsOutbox
{
    // 10,000 events are some megabytes: hours of a busy installation with its database away.
    private const int AuditCapacity = 10_000;

    // Names and paths come from outside. An index entry of PostgreSQL has at most 2,704 bytes, and an event that cannot be stored would
    // otherwise hold up all that come after it.
    private const int LongestText = 600;

    private readonly ConcurrentQueue<AuditEvent> _audit = new();

    public void Audit(AuditEvent auditEvent)
    {
        if (_audit.Count >= AuditCapacity)
        {
            metrics.AuditDropped();
            LogAuditDropped(auditEvent.Action, auditEvent.Actor?.Subject, auditEvent.Target, auditEvent.Outcome, auditEvent.RequestId);
            return;
        }

        _audit.Enqueue(auditEvent);
    }

    private async Task WriteAuditAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        while (!_audit.IsEmpty)
        {
            var events = _audit.Take(Batch).ToArray();
            try
            {
                await InsertAsync(connection, events, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (error.SqlState.StartsWith("22", StringComparison.Ordinal)
                || error.SqlState is PostgresErrorCodes.ProgramLimitExceeded || error.SqlState.StartsWith("23", StringComparison.Ordinal))
            {
                await InsertOneByOneAsync(connection, events, cancellationToken).ConfigureAwait(false);
            }

            // Only this method takes from the queue, and _writing lets one run at a time.
            for (var i = 0; i < events.Length; i++)
            {
                _audit.TryDequeue(out _);
            }
        }
    }

    // Something in it cannot be stored: that one is logged, the others are kept.
    private async Task InsertOneByOneAsync(NpgsqlConnection connection, AuditEvent[] events, CancellationToken cancellationToken)
    {
        foreach (var e in events)
        {
            try
            {
                await InsertAsync(connection, [e], cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (!AccountsResilience.IsUnavailable(error))
            {
                LogAuditRefused(e.Action, e.Actor?.Subject, e.Target, e.Outcome, e.RequestId, error.SqlState);
            }
        }
    }

    private static async Task InsertAsync(NpgsqlConnection connection, AuditEvent[] events, CancellationToken cancellationToken)
    {
        // Sequence and hashes are made by the database, so this statement fits every version of the schema.
        const string Sql = """
            INSERT INTO berth.audit_events (id, at, issuer, subject, action, object, outcome, request_id)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
            """;
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters =
            {
                Parameter.Array(events.Select(e => e.Id), NpgsqlDbType.Uuid),
                Parameter.Array(events.Select(e => e.At.UtcDateTime), NpgsqlDbType.TimestampTz),
                Texts(events, e => e.Actor?.Issuer),
                Texts(events, e => e.Actor?.Subject),
                Texts(events, e => e.Action),
                Texts(events, e => e.Target),
                Texts(events, e => e.Outcome),
                Texts(events, e => e.RequestId),
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static NpgsqlParameter Texts(AuditEvent[] events, Func<AuditEvent, string?> pick) =>
        Parameter.Array(events.Select(e => pick(e) is { } text ? Parameter.Clean(text, LongestText) : null), NpgsqlDbType.Text);

    [LoggerMessage(4011, LogLevel.Error,
        "Audit queue full; event not stored: {Action} by {Subject} on {Target}: {Outcome} (request {RequestId}).")]
    private partial void LogAuditDropped(string action, string? subject, string? target, string outcome, string? requestId);

    [LoggerMessage(4013, LogLevel.Error,
        "The database refuses an audit event ({State}): {Action} by {Subject} on {Target}: {Outcome} (request {RequestId}).")]
    private partial void LogAuditRefused(
        string action, string? subject, string? target, string outcome, string? requestId, string state);
}
