using Npgsql;

namespace Berth.Accounts;

/// <summary>First uses as all replicas saw them.</summary>
internal sealed class PostgresKeyUses(AccountsDatabase database, TimeProvider clock) : IKeyUses
{
    public Task<DateTimeOffset> FirstUseAsync(string kind, string keyId, CancellationToken cancellationToken) => database.RunAsync(
        async (connection, token) =>
        {
            await using (var add = new NpgsqlCommand(
                "INSERT INTO berth.key_uses (kind, key_id, first_used_at) VALUES ($1, $2, $3) ON CONFLICT (kind, key_id) DO NOTHING",
                connection))
            {
                add.Parameters.AddRange(new[] { Parameter.Text(kind), Parameter.Text(keyId), Parameter.Time(clock.GetUtcNow()) });
                await add.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            }

            // Another replica may have been first: what is there counts.
            await using var read = new NpgsqlCommand(
                "SELECT first_used_at FROM berth.key_uses WHERE kind = $1 AND key_id = $2", connection);
            read.Parameters.AddRange(new[] { Parameter.Text(kind), Parameter.Text(keyId) });
            return new DateTimeOffset((DateTime)(await read.ExecuteScalarAsync(token).ConfigureAwait(false))!);
        },
        cancellationToken);
}
