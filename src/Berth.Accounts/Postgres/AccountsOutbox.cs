using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>
/// Writes nobody waits for: last use of sessions, audit events, and revocations that met a database that was away. One loop writes them in
/// batches; what fails stays queued. Every statement can be repeated without harm.
/// </summary>
internal sealed partial class AccountsOutbox(NpgsqlDataSource database, TimeProvider clock, ILogger logger) : IAsyncDisposable
{
    // 10,000 events are some megabytes: hours of a busy installation with its database away.
    private const int AuditCapacity = 10_000;
    private const int Batch = 500;

    // Soon enough that an audit event is there when somebody looks, rare enough that a burst is one statement.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _touches = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _revocations = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<AuditEvent> _audit = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private bool _failing;

    public void Start() => _loop = RunAsync(_stop.Token);

    public void Touch(string sessionId, DateTimeOffset at) => _touches.AddOrUpdate(sessionId, at, (_, known) => at > known ? at : known);

    public void Revoke(string sessionId, DateTimeOffset until) => _revocations[sessionId] = until;

    public void Audit(AuditEvent auditEvent)
    {
        if (_audit.Count >= AuditCapacity)
        {
            LogAuditDropped(auditEvent.Action, auditEvent.Actor?.Subject, auditEvent.Target, auditEvent.Outcome, auditEvent.RequestId);
            return;
        }

        _audit.Enqueue(auditEvent);
    }

    /// <summary>Writes everything that is queued; throws what the database throws, with the rest still queued.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_touches.IsEmpty && _revocations.IsEmpty && _audit.IsEmpty)
            {
                return;
            }

            await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await WriteRevocationsAsync(connection, cancellationToken).ConfigureAwait(false);
            await WriteAuditAsync(connection, cancellationToken).ConfigureAwait(false);
            await WriteTouchesAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        try
        {
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(3), clock);
            await FlushAsync(grace.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (AccountsResilience.IsTransient(error) || error is OperationCanceledException)
        {
            LogLost(_audit.Count, _revocations.Count, error.Message);
        }

        _stop.Dispose();
        _writing.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    await FlushAsync(cancellationToken).ConfigureAwait(false);
                    _failing = false;
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    // Once per outage: the loop would otherwise say it every second.
                    if (!_failing)
                    {
                        LogWriteFailed(error.Message);
                    }

                    _failing = true;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task WriteRevocationsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var (id, until) in _revocations.ToArray())
        {
            await RevokeAsync(connection, id, clock.GetUtcNow(), until, cancellationToken).ConfigureAwait(false);
            _revocations.TryRemove(id, out _);
        }
    }

    internal static async Task RevokeAsync(
        NpgsqlConnection connection, string id, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO berth.revoked_sessions (id, revoked_at, until) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING", connection)
        {
            Parameters = { new() { Value = id }, new() { Value = now.ToUniversalTime() }, new() { Value = until.ToUniversalTime() } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteTouchesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var batch = _touches.ToArray();
        if (batch.Length == 0)
        {
            return;
        }

        const string Sql = """
            UPDATE berth.sessions s SET last_seen_at = t.at FROM unnest($1, $2) AS t (id, at) WHERE s.id = t.id AND s.last_seen_at < t.at
            """;
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters =
            {
                new() { Value = batch.Select(t => t.Key).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                new() { Value = batch.Select(t => t.Value.UtcDateTime).ToArray(),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        foreach (var written in batch)
        {
            // Only if no later use came in meanwhile.
            _touches.TryRemove(written);
        }
    }

    private async Task WriteAuditAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        while (!_audit.IsEmpty)
        {
            var events = _audit.Take(Batch).ToArray();
            await using var batch = new NpgsqlBatch(connection);
            foreach (var e in events)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(
                    "INSERT INTO berth.audit_events (id, at, issuer, subject, action, object, outcome, request_id) VALUES "
                        + "($1,$2,$3,$4,$5,$6,$7,$8) "
                    + "ON CONFLICT (id) DO NOTHING")
                {
                    Parameters =
                    {
                        new() { Value = e.Id },
                        new() { Value = e.At.ToUniversalTime() },
                        Text(e.Actor?.Issuer),
                        Text(e.Actor?.Subject),
                        Text(e.Action),
                        Text(e.Target),
                        Text(e.Outcome),
                        Text(e.RequestId),
                    },
                });
            }

            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);

            // Only this method takes from the queue, and _writing lets one run at a time.
            for (var i = 0; i < events.Length; i++)
            {
                _audit.TryDequeue(out _);
            }
        }
    }

    /// <summary>A text parameter that may be null; PostgreSQL text cannot hold NUL, which hostile input may.</summary>
    internal static NpgsqlParameter Text(string? value) => new()
    {
        Value = value is null ? DBNull.Value : value.Replace("\0", "", StringComparison.Ordinal),
        NpgsqlDbType = NpgsqlDbType.Text,
    };

    [LoggerMessage(4010, LogLevel.Warning, "Audit events and session times cannot be written now and stay queued: {Reason}")]
    private partial void LogWriteFailed(string reason);

    [LoggerMessage(4011, LogLevel.Error,
        "Audit queue full; event not stored: {Action} by {Subject} on {Target}: {Outcome} (request {RequestId}).")]
    private partial void LogAuditDropped(string action, string? subject, string? target, string outcome, string? requestId);

    [LoggerMessage(4012, LogLevel.Error, "Ended with {Audit} audit events and {Revocations} revocations not written: {Reason}")]
    private partial void LogLost(int audit, int revocations, string reason);
}
