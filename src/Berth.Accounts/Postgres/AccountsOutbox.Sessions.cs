using System.Collections.Concurrent;
using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>Use of sessions on its way into the database; of several uses of one session one row is written.</summary>
internal sealed partial class AccountsOutbox
{
    private readonly ConcurrentDictionary<string, SessionUse> _uses = new(StringComparer.Ordinal);

    /// <summary>A use of a session.</summary>
    public void Touch(string sessionId, DateTimeOffset at, DateTimeOffset? idleEnd) => _uses.AddOrUpdate(
        sessionId,
        _ => new SessionUse(at, idleEnd, 1, null),
        (_, known) => known with
        {
            At = at > known.At ? at : known.At,
            IdleEnd = idleEnd is { } end && !(known.IdleEnd > end) ? end : known.IdleEnd,
            Renewals = known.Renewals + 1,
        });

    /// <summary>A session went into a workspace.</summary>
    public void Enter(string sessionId, string workspace, DateTimeOffset at) => _uses.AddOrUpdate(
        sessionId,
        _ => new SessionUse(at, null, 0, workspace),
        (_, known) => known with { At = at > known.At ? at : known.At, Workspace = workspace });

    private async Task WriteUsesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var uses = _uses.ToArray();
        if (uses.Length == 0)
        {
            return;
        }

        // "Later than what is there" makes the repetition of a statement whose answer was lost count nothing twice. LEAST passes over
        // nulls: a use that moves no idle end must not become one that moves it to the absolute end.
        const string Sql = """
            UPDATE berth.sessions s SET
                last_seen_at = u.at,
                idle_expires_at = GREATEST(s.idle_expires_at, CASE WHEN u.idle IS NOT NULL THEN LEAST(u.idle, s.expires_at) END),
                refresh_count = s.refresh_count + u.renewals,
                workspace = COALESCE(u.workspace, s.workspace),
                started_at = COALESCE(s.started_at, CASE WHEN u.workspace IS NOT NULL THEN u.at END)
            FROM unnest($1, $2, $3, $4, $5) AS u (id, at, idle, renewals, workspace)
            WHERE s.id = u.id AND (s.last_seen_at < u.at OR (u.workspace IS NOT NULL AND s.workspace IS DISTINCT FROM u.workspace))
            """;
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters =
            {
                Parameter.Array(uses.Select(u => u.Key), NpgsqlDbType.Text),
                Parameter.Array(uses.Select(u => u.Value.At.UtcDateTime), NpgsqlDbType.TimestampTz),
                Parameter.Array(uses.Select(u => u.Value.IdleEnd?.UtcDateTime), NpgsqlDbType.TimestampTz),
                Parameter.Array(uses.Select(u => u.Value.Renewals), NpgsqlDbType.Integer),
                Parameter.Array(uses.Select(u => u.Value.Workspace), NpgsqlDbType.Text),
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        foreach (var written in uses)
        {
            // Only if no later use came in meanwhile.
            _uses.TryRemove(written);
        }
    }

    private readonly record struct SessionUse(DateTimeOffset At, DateTimeOffset? IdleEnd, int Renewals, string? Workspace);
}
