using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <content>How statements are run, and how values look in the database.</content>
internal sealed partial class VaultStore
{
    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private static NpgsqlParameter Text(string? value) =>
        new() { NpgsqlDbType = NpgsqlDbType.Text, Value = value ?? (object)DBNull.Value };

    private static NpgsqlParameter Bytes(byte[]? value) =>
        new() { NpgsqlDbType = NpgsqlDbType.Bytea, Value = value ?? (object)DBNull.Value };

    private static NpgsqlParameter Interval(TimeSpan? value) =>
        new() { NpgsqlDbType = NpgsqlDbType.Interval, Value = value ?? (object)DBNull.Value };

    private static string? TextOf(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static TimeSpan? Seconds(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : TimeSpan.FromSeconds(reader.GetDouble(column));

    private async Task<VaultRow?> FirstAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        var rows = await QueryAsync(sql, parameters, ReadRow, cancellationToken).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }

    private Task<IReadOnlyList<T>> QueryAsync<T>(
        string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        resilience.RunAsync<IReadOnlyList<T>>(
            async token =>
            {
                await using var command = Command(sql, parameters);
                await using var reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var rows = new List<T>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    rows.Add(read(reader));
                }

                return rows;
            },
            cancellationToken);

    private Task<int> ExecuteAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken) => resilience.RunAsync(
        async token =>
        {
            await using var command = Command(sql, parameters);
            return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
        },
        cancellationToken);

    // A repeated attempt needs parameters that belong to no other command.
    private NpgsqlCommand Command(string sql, NpgsqlParameter[] parameters)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.AddRange(Array.ConvertAll(parameters, p => p.Clone()));
        return command;
    }
}
