using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// Brings the schema <c>berth</c> to a version: numbered SQL scripts, each in a transaction of its own, all under one advisory lock so that
/// replicas that start together do not race.
/// </summary>
/// <remarks>
/// A database that is newer than the program is accepted: during a rolling upgrade old replicas run beside new ones, and forward scripts
/// only add what those can ignore. A script that was changed after it ran is an error, since nobody can tell what the database looks like
/// then. Going back needs the program that went forward, since only that has the scripts; what the newer version kept is lost.
/// </remarks>
public sealed partial class AccountsMigrator
{
    // Any constant works as long as nothing else in the database uses it: the first 8 bytes of SHA-256("berth.accounts.migrations").
    private static readonly long LockKey = BitConverter.ToInt64(SHA256.HashData("berth.accounts.migrations"u8), 0);

    // About 20 s in all.
    private const int MostAttempts = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly NpgsqlDataSource _database;
    private readonly ILogger<AccountsMigrator> _logger;
    private readonly TimeProvider _time;

    /// <summary>Makes a migrator for a database.</summary>
    /// <param name="database">The database; its role must own the schema.</param>
    /// <param name="logger">Told of each script that ran.</param>
    /// <param name="time">Clock for the pauses between attempts; null: the system's.</param>
    public AccountsMigrator(NpgsqlDataSource database, ILogger<AccountsMigrator> logger, TimeProvider? time = null)
    {
        _database = database;
        _logger = logger;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>The schema version this program is made for.</summary>
    public static int LatestVersion => MigrationScripts.Latest;

    /// <summary>Runs what has not run yet.</summary>
    /// <returns>The number of scripts that ran.</returns>
    /// <exception cref="InvalidOperationException">A script that has run differs from the one in this program.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached or refused a statement.</exception>
    public Task<int> MigrateAsync(CancellationToken cancellationToken) => MigrateAsync(null, cancellationToken);

    /// <summary>Goes forward or back to a version.</summary>
    /// <param name="target">Version to end at, 0 for an empty schema; null for the newest and never back.</param>
    /// <param name="cancellationToken">Gives up between scripts; one that has begun is rolled back.</param>
    /// <returns>The number of scripts that ran, of either direction.</returns>
    /// <exception cref="ArgumentOutOfRangeException">This program has no such version.</exception>
    /// <exception cref="InvalidOperationException">
    /// A script that has run differs from the one in this program, or the way back leads over a version that this program does not know.
    /// </exception>
    /// <exception cref="NpgsqlException">The database cannot be reached or refused a statement.</exception>
    public async Task<int> MigrateAsync(int? target, CancellationToken cancellationToken)
    {
        if (target is { } wanted && (wanted < 0 || wanted > LatestVersion))
        {
            throw new ArgumentOutOfRangeException(nameof(target), wanted, $"This program knows the versions 0 to {LatestVersion}.");
        }

        await using var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", cancellationToken).ConfigureAwait(false);
        try
        {
            const string Bootstrap = """
                CREATE SCHEMA IF NOT EXISTS berth;
                CREATE TABLE IF NOT EXISTS berth.schema_versions (
                    version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
                """;
            await ExecuteAsync(connection, Bootstrap, cancellationToken).ConfigureAwait(false);
            var applied = await ReadAppliedAsync(connection, cancellationToken).ConfigureAwait(false);
            Check(applied);
            var ran = target is { } to ? await GoBackAsync(connection, applied, to, cancellationToken).ConfigureAwait(false) : 0;
            ran += await GoForwardAsync(connection, applied, target ?? LatestVersion, cancellationToken).ConfigureAwait(false);
            if (ran > 0)
            {
                // Tables that were made anew have no grants; whoever made roles once should not have to think of it.
                foreach (var prefix in await ReadRolePrefixesAsync(connection, cancellationToken).ConfigureAwait(false))
                {
                    await GrantAsync(connection, prefix, cancellationToken).ConfigureAwait(false);
                }
            }

            return ran;
        }
        finally
        {
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Looks whether the schema is one that this program can work with, and changes nothing.</summary>
    /// <exception cref="InvalidOperationException">It is not; the message says what to run.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        Dictionary<int, Applied> applied;
        try
        {
            applied = await ReadAppliedAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException error) when (
            error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            applied = [];
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new InvalidOperationException(
                "The account database refuses this role to read the schema's version. Run 'migrate --roles' as the owner of the database "
                    + "and make the role of the edge a member of berth_edge.", error);
        }

        Check(applied);
        if (MigrationScripts.All.FirstOrDefault(s => !applied.ContainsKey(s.Version)) is { } missing)
        {
            throw new InvalidOperationException(
                $"The account database lacks migration {missing.Name}, which this program needs, and this edge is told not to migrate. "
                    + "Run 'migrate' with a role that owns the schema, then start the edge again.");
        }
    }

    /// <summary>
    /// Makes the roles <c>prefix_edge</c> and <c>prefix_reader</c> where they are missing and gives them the rights they need and no
    /// others. Migrations repeat it for the roles that are there. The caller owns the schema and may create roles.
    /// </summary>
    /// <param name="prefix">1 to 50 lower-case letters, digits and underscores; one for each database of a server.</param>
    /// <param name="cancellationToken">Gives up; nothing is changed then.</param>
    /// <exception cref="ArgumentException">The prefix is no such name.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached or refused a statement.</exception>
    public Task GrantAsync(string prefix, CancellationToken cancellationToken) => GrantAsync(prefix, null, cancellationToken);

    /// <summary>
    /// The same, and a role that signs in and has the rights of <c>prefix_edge</c> and no others: made where it is missing, given the
    /// password in any case.
    /// </summary>
    /// <param name="prefix">As above.</param>
    /// <param name="login">Its name, made of the same letters, and its password, printable ASCII; null: none.</param>
    /// <param name="cancellationToken">Gives up; nothing is changed then.</param>
    /// <exception cref="ArgumentException">A name or the password cannot be one.</exception>
    /// <exception cref="NpgsqlException">
    /// The database cannot be reached or refused a statement; also where the role may do more than that.
    /// </exception>
    public async Task GrantAsync(string prefix, (string Name, string Password)? login, CancellationToken cancellationToken)
    {
        if (!RolePrefix().IsMatch(prefix) || prefix.StartsWith("pg_", StringComparison.Ordinal))
        {
            throw new ArgumentException("A prefix of roles has 1 to 50 lower-case letters, digits and underscores, a letter first, and is "
                + "not pg_.", nameof(prefix));
        }

        if (login is { } wanted && (!LoginName().IsMatch(wanted.Name) || wanted.Name.StartsWith("pg_", StringComparison.Ordinal)))
        {
            throw new ArgumentException("The name of a role has 1 to 63 lower-case letters, digits and underscores, a letter first, and "
                + "does not begin with pg_.", nameof(login));
        }

        var verifier = login is { } with ? ScramVerifier.Of(with.Password) : null;
        await using var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);

        // Two at once would both find a role missing.
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", cancellationToken).ConfigureAwait(false);
        try
        {
            await GrantAsync(connection, prefix, cancellationToken).ConfigureAwait(false);
            if (login is { } made)
            {
                (string, string)[] settings = [("role_prefix", prefix), ("login", made.Name), ("login_verifier", verifier!)];
                await RunWithAsync(connection, MigrationScripts.EdgeLogin, settings, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static Task GrantAsync(NpgsqlConnection connection, string prefix, CancellationToken cancellationToken) =>
        RunWithAsync(connection, MigrationScripts.Roles, [("role_prefix", prefix)], cancellationToken);

    // A DO block takes no parameters; settings of the transaction are what it can read.
    private static async Task RunWithAsync(
        NpgsqlConnection connection, string script, (string Name, string Value)[] settings, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (name, value) in settings)
        {
            await using var setting = new NpgsqlCommand("SELECT set_config('berth.' || $1, $2, true)", connection);
            setting.Parameters.Add(Parameter.Text(name));
            setting.Parameters.Add(Parameter.Text(value));
            await setting.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        await ExecuteAsync(connection, script, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_]{0,49}\z")]
    private static partial Regex RolePrefix();

    // As long as PostgreSQL keeps them.
    [GeneratedRegex(@"\A[a-z][a-z0-9_]{0,62}\z")]
    private static partial Regex LoginName();

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // The text is a script of this assembly or has a number in it; nothing from outside reaches it.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<string>> ReadRolePrefixesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string Sql = """
            SELECT left(r.rolname, -length('_edge'))
            FROM pg_namespace AS n CROSS JOIN aclexplode(n.nspacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee
            WHERE n.nspname = 'berth' AND a.privilege_type = 'USAGE' AND NOT r.rolcanlogin AND r.rolname ~ '^[a-z][a-z0-9_]{0,49}_edge$'
            """;
        var prefixes = new List<string>();
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            prefixes.Add(reader.GetString(0));
        }

        return prefixes;
    }

    private static async Task<Dictionary<int, Applied>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<int, Applied>();
        await using var command = new NpgsqlCommand("SELECT version, name, checksum FROM berth.schema_versions", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            applied[reader.GetInt32(0)] = new Applied(reader.GetString(1), reader.GetString(2));
        }

        return applied;
    }

    private static void Check(Dictionary<int, Applied> applied)
    {
        foreach (var script in MigrationScripts.All)
        {
            if (applied.TryGetValue(script.Version, out var ran) && ran.Checksum != script.Checksum)
            {
                throw new InvalidOperationException(
                    $"Migration {script.Name} has run in this database with other contents than this program has. Use the program that "
                        + "ran it, or restore.");
            }
        }
    }

    private async Task<int> GoBackAsync(
        NpgsqlConnection connection, Dictionary<int, Applied> applied, int target, CancellationToken cancellationToken)
    {
        var known = MigrationScripts.All.ToDictionary(s => s.Version);
        var steps = applied.Where(a => a.Key > target).OrderByDescending(a => a.Key).ToArray();
        if (steps.FirstOrDefault(s => !known.ContainsKey(s.Key)) is { Key: > 0 } unknown)
        {
            throw new InvalidOperationException(
                $"The database has migration {unknown.Value.Name}, which this program does not know and cannot take back. Use the program "
                    + "that ran it.");
        }

        foreach (var (version, _) in steps)
        {
            var script = known[version];
            await RunAsync(connection, script.Back, "DELETE FROM berth.schema_versions WHERE version = $1",
                [new() { Value = version }], cancellationToken).ConfigureAwait(false);
            applied.Remove(version);
            LogTakenBack(script.Name);
        }

        return steps.Length;
    }

    private async Task<int> GoForwardAsync(
        NpgsqlConnection connection, Dictionary<int, Applied> applied, int target, CancellationToken cancellationToken)
    {
        var ran = 0;
        foreach (var script in MigrationScripts.All.Where(s => s.Version <= target && !applied.ContainsKey(s.Version)))
        {
            await RunAsync(connection, script.Forward, "INSERT INTO berth.schema_versions (version, name, checksum) VALUES ($1, $2, $3)",
                [new() { Value = script.Version }, new() { Value = script.Name }, new() { Value = script.Checksum }], cancellationToken)
                .ConfigureAwait(false);
            LogMigrated(script.Name);
            ran++;
        }

        return ran;
    }

    /// <summary>Runs a script; again, a while later, when those who use its tables did not let it.</summary>
    private async Task RunAsync(NpgsqlConnection connection, string script, string record, NpgsqlParameter[] parameters,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await RunOnceAsync(connection, script, record, parameters, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (PostgresException e) when (
                e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected && attempt < MostAttempts)
            {
                await Task.Delay(Pause, _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task RunOnceAsync(NpgsqlConnection connection, string script, string record, NpgsqlParameter[] parameters,
        CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);

        // A change of a table waits for those who use it, and everybody who comes later waits behind it: better to give up and begin again
        // than to hold up all sign-ins behind one forgotten transaction. Well under PostgreSQL's deadlock_timeout of 1 s, so that where a
        // script and a statement wait for each other it is the script that gives way.
        await ExecuteAsync(connection, "SET LOCAL lock_timeout = '400ms'", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, script, cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(record, connection);
        command.Parameters.AddRange(parameters.Select(p => p.Clone()).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(4001, LogLevel.Information, "Account database migrated: {Name}.")]
    private partial void LogMigrated(string name);

    [LoggerMessage(4002, LogLevel.Warning, "Account database taken back behind {Name}: what it kept is gone.")]
    private partial void LogTakenBack(string name);

    private readonly record struct Applied(string Name, string Checksum);
}
