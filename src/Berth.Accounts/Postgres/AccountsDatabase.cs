using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>Plain statements with the store's way of coping with trouble.</summary>
internal sealed class AccountsDatabase(NpgsqlDataSource source, AccountsResilience resilience)
{
    /// <summary>The pool.</summary>
    public NpgsqlDataSource Source => source;

    /// <summary>Runs something that may be repeated.</summary>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> operation, CancellationToken cancellationToken) =>
        resilience.RunAsync(
            async token =>
            {
                try
                {
                    await using var connection = await source.OpenConnectionAsync(token).ConfigureAwait(false);
                    return await operation(connection, token).ConfigureAwait(false);
                }
                catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
                {
                    // What we are connected to is no longer the server that writes: the pool's other connections lead there too.
                    source.Clear();
                    throw;
                }
            },
            cancellationToken);

    /// <summary>Runs background work that takes its time and is not repeated: its next round is the repetition.</summary>
    public async Task<T> RunOnceAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            return await operation(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (AccountsResilience.IsUnavailable(error))
        {
            throw new AccountsUnavailableException($"The account database cannot be used now: {error.Message}", error);
        }
    }

    /// <summary>Reads rows. The parameters are made anew for each attempt, since one belongs to one command.</summary>
    public Task<List<T>> ListAsync<T>(
        string sql, Func<NpgsqlParameter[]> parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) => RunAsync(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.AddRange(parameters());
            await using var reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            var rows = new List<T>();
            while (await reader.ReadAsync(token).ConfigureAwait(false))
            {
                rows.Add(read(reader));
            }

            return rows;
        },
        cancellationToken);

    /// <summary>Reads the first row; the default of <typeparamref name="T"/> when there is none.</summary>
    public async Task<T?> FirstAsync<T>(
        string sql, Func<NpgsqlParameter[]> parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = await ListAsync(sql, parameters, read, cancellationToken).ConfigureAwait(false);
        return rows.Count == 0 ? default : rows[0];
    }

    /// <summary>Runs a statement.</summary>
    /// <returns>The number of rows it changed.</returns>
    public Task<int> ExecuteAsync(string sql, Func<NpgsqlParameter[]> parameters, CancellationToken cancellationToken) => RunAsync(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.AddRange(parameters());
            return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
        },
        cancellationToken);
}

/// <summary>Parameters with their types, so that null has one too.</summary>
internal static class Parameter
{
    /// <summary>
    /// A text. PostgreSQL keeps neither NUL nor half a surrogate pair, which hostile input may hold: the first is left out, the second
    /// replaced.
    /// </summary>
    public static NpgsqlParameter Text(string? value) => new()
    {
        Value = value is null ? DBNull.Value : Clean(value),
        NpgsqlDbType = NpgsqlDbType.Text,
    };

    public static NpgsqlParameter Long(long? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };

    public static NpgsqlParameter Time(DateTimeOffset? value) => new()
    {
        Value = value is { } time ? time.UtcDateTime : DBNull.Value,
        NpgsqlDbType = NpgsqlDbType.TimestampTz,
    };

    public static NpgsqlParameter Date(DateOnly value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Date };

    public static NpgsqlParameter Jsonb(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Jsonb };

    public static NpgsqlParameter Array<T>(IEnumerable<T> values, NpgsqlDbType type) => new()
    {
        Value = values.ToArray(),
        NpgsqlDbType = NpgsqlDbType.Array | type,
    };

    /// <summary>The text that can be kept; cut at <paramref name="most"/> characters.</summary>
    public static string Clean(string value, int most = int.MaxValue)
    {
        if (value.Length > most)
        {
            value = value[..most];
        }

        return PreferenceRules.IsText(value)
            ? value
            : System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(value.Replace("\0", "", StringComparison.Ordinal)));
    }
}
