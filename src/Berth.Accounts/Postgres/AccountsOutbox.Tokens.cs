using System.Collections.Concurrent;
using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>Use of personal tokens on its way into the database.</summary>
internal sealed partial class AccountsOutbox
{
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _tokenUses = new();

    /// <summary>A use of a token.</summary>
    public void TouchToken(Guid id, DateTimeOffset at) => _tokenUses.AddOrUpdate(id, at, (_, known) => at > known ? at : known);

    private async Task WriteTokenUsesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var uses = _tokenUses.ToArray();
        if (uses.Length == 0)
        {
            return;
        }

        // Of all replicas one writes in an hour: the others find that it was done.
        const string Sql = """
            UPDATE berth.personal_tokens t SET last_used_at = u.at FROM unnest($1, $2) AS u (id, at)
            WHERE t.id = u.id AND (t.last_used_at IS NULL OR t.last_used_at <= u.at - $3)
            """;
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters =
            {
                Parameter.Array(uses.Select(u => u.Key), NpgsqlDbType.Uuid),
                Parameter.Array(uses.Select(u => u.Value.UtcDateTime), NpgsqlDbType.TimestampTz),
                new() { Value = PersonalTokenRules.UseInterval, NpgsqlDbType = NpgsqlDbType.Interval },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        foreach (var written in uses)
        {
            // Only if no later use came in meanwhile.
            _tokenUses.TryRemove(written);
        }
    }
}
