using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>History and usage of workspaces on their way into the database.</summary>
internal sealed partial class AccountsOutbox
{
    // With the database away for long the oldest knowledge goes first: every other replica holds it too, and usage is seen again.
    private const int WorkspaceCapacity = 20_000;

    private readonly ConcurrentDictionary<(string Uid, string Event), WorkspaceRecord> _records = new();
    private readonly ConcurrentDictionary<(string Uid, string Run, DateOnly Day), UsageSlice> _usage = new();

    public void Record(WorkspaceRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (_records.Count < WorkspaceCapacity)
        {
            _records.TryAdd((record.WorkspaceUid, record.Event), record);
        }
        else
        {
            LogRecordDropped(record.Kind, record.Workspace);
        }
    }

    public void Record(UsageSlice slice)
    {
        ArgumentNullException.ThrowIfNull(slice);
        if (_usage.Count < WorkspaceCapacity)
        {
            _usage.AddOrUpdate((slice.WorkspaceUid, slice.Run, slice.Day), slice,
                (_, known) => slice.Seconds > known.Seconds ? slice : known);
        }
    }

    private async Task WriteRecordsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var chunk in _records.ToArray().Chunk(Batch))
        {
            const string Sql = """
                INSERT INTO berth.workspace_records (workspace_uid, event, issuer, subject, workspace, template, kind, reason, at)
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (workspace_uid, event) DO NOTHING
                """;
            await using var command = new NpgsqlCommand(Sql, connection)
            {
                Parameters =
                {
                    Texts(chunk, r => r.WorkspaceUid), Texts(chunk, r => r.Event), Texts(chunk, r => r.Owner.Issuer),
                    Texts(chunk, r => r.Owner.Subject), Texts(chunk, r => r.Workspace), Texts(chunk, r => r.Template),
                    Texts(chunk, r => r.Kind), Texts(chunk, r => r.Reason),
                    Parameter.Array(chunk.Select(r => r.Value.At.UtcDateTime), NpgsqlDbType.TimestampTz),
                },
            };
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            foreach (var written in chunk)
            {
                _records.TryRemove(written);
            }
        }
    }

    private async Task WriteUsageAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // In one order on every replica: two that update the same rows in different orders would wait for each other.
        var slices = _usage.OrderBy(u => u.Key.Uid, StringComparer.Ordinal).ThenBy(u => u.Key.Run, StringComparer.Ordinal)
            .ThenBy(u => u.Key.Day).ToArray();
        foreach (var chunk in slices.Chunk(Batch))
        {
            const string Sql = """
                INSERT INTO berth.usage AS u (workspace_uid, run, day, issuer, subject, workspace, seconds)
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (workspace_uid, run, day) DO UPDATE SET seconds = excluded.seconds WHERE excluded.seconds > u.seconds
                """;
            await using var command = new NpgsqlCommand(Sql, connection)
            {
                Parameters =
                {
                    Texts(chunk, u => u.WorkspaceUid), Texts(chunk, u => u.Run),
                    Parameter.Array(chunk.Select(u => u.Value.Day), NpgsqlDbType.Date), Texts(chunk, u => u.Owner.Issuer),
                    Texts(chunk, u => u.Owner.Subject), Texts(chunk, u => u.Workspace),
                    Parameter.Array(chunk.Select(u => Math.Clamp(u.Value.Seconds, 0, 86_400)), NpgsqlDbType.Integer),
                },
            };
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            foreach (var written in chunk)
            {
                _usage.TryRemove(written);
            }
        }
    }

    private static NpgsqlParameter Texts<TKey, T>(KeyValuePair<TKey, T>[] chunk, Func<T, string?> pick) =>
        Parameter.Array(chunk.Select(c => pick(c.Value) is { } text ? Parameter.Clean(text, LongestText) : null), NpgsqlDbType.Text);

    [LoggerMessage(4014, LogLevel.Error, "Too much is waiting for the database; not recorded: {Kind} of workspace {Workspace}.")]
    private partial void LogRecordDropped(string kind, string workspace);
}
