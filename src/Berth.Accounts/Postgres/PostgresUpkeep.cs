using System.Security.Cryptography;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// Removes what is over, on one replica at a time: an advisory lock that goes with its connection, so a dead replica holds nothing.
/// </summary>
internal sealed class PostgresUpkeep(AccountsDatabase database, IAuditLog audit, TimeProvider clock) : IUpkeep
{
    internal static readonly long LockKey = BitConverter.ToInt64(SHA256.HashData("berth.accounts.upkeep"u8), 0);

    /// <inheritdoc/>
    public Task<UpkeepOutcome> RunAsync(UpkeepOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        return database.RunOnceAsync(
            async (connection, token) =>
            {
                await using (var take = new NpgsqlCommand($"SELECT pg_try_advisory_lock({LockKey})", connection))
                {
                    if (await take.ExecuteScalarAsync(token).ConfigureAwait(false) is not true)
                    {
                        return new UpkeepOutcome(true, 0, 0, 0, 0);
                    }
                }

                try
                {
                    return await WorkAsync(connection, options, token).ConfigureAwait(false);
                }
                finally
                {
                    // The pool would keep connection and lock; a connection that is broken has neither.
                    await using var give = new NpgsqlCommand($"SELECT pg_advisory_unlock({LockKey})", connection);
                    if (connection.FullState == System.Data.ConnectionState.Open)
                    {
                        await give.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
                    }
                }
            },
            cancellationToken);
    }

    private async Task<UpkeepOutcome> WorkAsync(NpgsqlConnection connection, UpkeepOptions options, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var sessions = await RemoveAsync(connection, "sessions",
            "LEAST(expires_at, coalesce(idle_expires_at, expires_at), coalesce(ended_at, expires_at)) < $1", now - options.KeepSessions,
            options, cancellationToken).ConfigureAwait(false);

        // An hour for replicas whose clock is behind: they would let the session in again.
        var revocations = await RemoveAsync(connection, "revoked_sessions", "until < $1", now.AddHours(-1), options, cancellationToken)
            .ConfigureAwait(false);
        var tokens = await RemoveAsync(connection, "personal_tokens", "LEAST(expires_at, coalesce(revoked_at, expires_at)) < $1",
            now - options.KeepSessions, options, cancellationToken).ConfigureAwait(false);
        var history = await RemoveAsync(connection, "workspace_records", "at < $1", now - options.KeepHistory, options, cancellationToken)
            .ConfigureAwait(false);
        history += await RemoveAsync(connection, "usage", "day < ($1 AT TIME ZONE 'UTC')::date", now - options.KeepHistory, options,
            cancellationToken).ConfigureAwait(false);
        var events = options.KeepAudit is { } keep ? await audit.ExpireAsync(now - keep, cancellationToken).ConfigureAwait(false) : 0;
        return new UpkeepOutcome(false, sessions, revocations, events, history, tokens);
    }

    // Table and condition are ours; nothing from outside reaches the text.
    private static async Task<long> RemoveAsync(NpgsqlConnection connection, string table, string condition, DateTimeOffset before,
        UpkeepOptions options, CancellationToken cancellationToken)
    {
        var sql = $"DELETE FROM berth.{table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM berth.{table} WHERE {condition} LIMIT $2 "
            + "FOR UPDATE SKIP LOCKED))";
        var total = 0L;
        for (var i = 0; i < options.MaximumBatches; i++)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.Add(Parameter.Time(before));
            command.Parameters.Add(Parameter.Long(options.Batch));
            var removed = await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            total += removed;
            if (removed < options.Batch)
            {
                break;
            }
        }

        return total;
    }
}
