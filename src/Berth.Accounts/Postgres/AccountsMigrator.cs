using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// Brings the schema <c>berth</c> to the version this program knows: numbered SQL scripts, each in a transaction of its own, all under one
/// advisory lock so that replicas that start together do not race.
/// </summary>
/// <remarks>
/// A database that is newer than the program is accepted: during a rolling upgrade old replicas run beside new ones, and scripts only add.
/// A script that was changed after it ran is an error, since nobody can tell what the database looks like then.
/// </remarks>
public sealed partial class AccountsMigrator
{
    // Any constant works as long as nothing else in the database uses it: the first 8 bytes of SHA-256("berth.accounts.migrations").
    private static readonly long LockKey = BitConverter.ToInt64(SHA256.HashData("berth.accounts.migrations"u8), 0);

    private readonly NpgsqlDataSource _database;
    private readonly ILogger<AccountsMigrator> _logger;

    /// <summary>Makes a migrator for a database.</summary>
    public AccountsMigrator(NpgsqlDataSource database, ILogger<AccountsMigrator> logger)
    {
        _database = database;
        _logger = logger;
    }

    /// <summary>Runs what has not run yet.</summary>
    /// <returns>The number of scripts that ran.</returns>
    /// <exception cref="InvalidOperationException">A script that has run differs from the one in this program.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached or refused a statement.</exception>
    public async Task<int> MigrateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", cancellationToken).ConfigureAwait(false);
        try
        {
            return await RunPendingAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None).ConfigureAwait(false);
        }
    }

    internal static IReadOnlyList<Migration> Scripts() =>
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.StartsWith("migrations/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(Read),
    ];

    private static Migration Read(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
        var name = Path.GetFileNameWithoutExtension(resource);
        return new Migration(int.Parse(name.AsSpan(0, 4)), name, sql,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // The text is a script of this assembly or has a number in it; nothing from outside reaches it.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<int> RunPendingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string Bootstrap = """
            CREATE SCHEMA IF NOT EXISTS berth;
            CREATE TABLE IF NOT EXISTS berth.schema_versions (
                version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
            """;
        await ExecuteAsync(connection, Bootstrap, cancellationToken).ConfigureAwait(false);

        var applied = new Dictionary<int, string>();
        await using (var command = new NpgsqlCommand("SELECT version, checksum FROM berth.schema_versions", connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                applied[reader.GetInt32(0)] = reader.GetString(1);
            }
        }

        var ran = 0;
        foreach (var script in Scripts())
        {
            if (applied.TryGetValue(script.Version, out var checksum))
            {
                if (checksum != script.Checksum)
                {
                    throw new InvalidOperationException(
                        $"Migration {script.Name} has run in this database with other contents than this program has. Use the program "
                            + $"that ran it, or restore.");
                }

                continue;
            }

            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, script.Sql, cancellationToken).ConfigureAwait(false);
            await using var record = new NpgsqlCommand("INSERT INTO berth.schema_versions (version, name, checksum) VALUES ($1, $2, $3)",
                connection)
            {
                Parameters = { new() { Value = script.Version }, new() { Value = script.Name }, new() { Value = script.Checksum } },
            };
            await record.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            LogMigrated(script.Name);
            ran++;
        }

        return ran;
    }

    [LoggerMessage(4001, LogLevel.Information, "Account database migrated: {Name}.")]
    private partial void LogMigrated(string name);

    internal sealed record Migration(int Version, string Name, string Sql, string Checksum);
}
