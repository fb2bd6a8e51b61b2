using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>The whole contract once more, by a role that has the rights of the edge and no others.</summary>
public class EdgeRoleTests(ThrowawayPostgres postgres) : AccountStoreContract, IClassFixture<ThrowawayPostgres>
{
    protected override async Task<IAccountStore> CreateAsync()
    {
        var store = new PostgresAccountStore(
            (await LoginAsync("edge")).Edge, new FakeTimeProvider(Start), NullLoggerFactory.Instance, migrate: false);
        await store.StartAsync(default);
        return store;
    }

    [SkippableTheory]
    [InlineData("UPDATE berth.audit_events SET outcome = 'x'")]
    [InlineData("DELETE FROM berth.audit_events")]
    [InlineData("TRUNCATE berth.audit_events")]
    [InlineData("SET berth.expiring_audit = 'on'; DELETE FROM berth.audit_events")]
    [InlineData("SELECT berth.expire_audit_events(now(), 1000)")]
    [InlineData("UPDATE berth.audit_settings SET minimum_retention = '0 days'")]
    [InlineData("INSERT INTO berth.audit_checkpoints (seq, hash, removed) VALUES (1, 'x', 1)")]
    [InlineData("ALTER TABLE berth.audit_events DISABLE TRIGGER ALL")]
    [InlineData("ALTER TABLE berth.people ADD COLUMN x int")]
    [InlineData("DROP TABLE berth.people")]
    [InlineData("CREATE TABLE berth.x (x int)")]
    [InlineData("CREATE TABLE public.x (x int)")]
    [InlineData("CREATE TEMPORARY TABLE x (x int)")]
    [InlineData("UPDATE berth.schema_versions SET checksum = 'x'")]
    [InlineData("CREATE OR REPLACE FUNCTION berth.chain_audit_event() RETURNS trigger LANGUAGE sql AS 'SELECT NULL::trigger'")]
    [InlineData("SELECT * FROM pg_authid")]
    [InlineData("SELECT pg_read_file('/etc/passwd')")]
    [InlineData("COPY berth.people TO PROGRAM 'cat'")]
    [InlineData("CREATE ROLE another")]
    [InlineData("SET session_replication_role = replica")]
    public async Task EdgeRole_WhatItMustNot_Refused(string sql)
    {
        var (edge, _, _) = await LoginAsync("edge");
        var error = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(edge, sql));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
    }

    [SkippableFact]
    public async Task EdgeRole_AnotherDatabaseOfThisServer_CannotConnect()
    {
        var (edge, _, _) = await LoginAsync("edge");
        var (_, _, other) = await LoginAsync("edge");
        var elsewhere = new NpgsqlConnectionStringBuilder(edge) { Database = new NpgsqlConnectionStringBuilder(other).Database };
        var error = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(elsewhere.ConnectionString, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
    }

    [SkippableTheory]
    [InlineData("SELECT count(*) FROM berth.usage", true)]
    [InlineData("SELECT count(*) FROM berth.audit_events", true)]
    [InlineData("SELECT count(*) FROM berth.sessions", false)]
    [InlineData("SELECT count(*) FROM berth.user_data", false)]
    [InlineData("SELECT count(*) FROM berth.preferences", false)]
    [InlineData("DELETE FROM berth.usage", false)]
    [InlineData("SELECT berth.expire_audit_events('2000-01-01', 1)", false)]
    public async Task ReaderRole_ReadsReportsAndNothingElse(string sql, bool allowed)
    {
        var (_, reader, _) = await LoginAsync("reader");
        var run = Record.ExceptionAsync(() => ExecuteAsync(reader, sql));
        Assert.Equal(allowed ? null : PostgresErrorCodes.InsufficientPrivilege, (await run as PostgresException)?.SqlState);
        Assert.Equal(allowed, await run is null);
    }

    [SkippableFact]
    public async Task MigrateRoles_Twice_SameRights()
    {
        var (edge, _, owner) = await LoginAsync("edge");
        await using var source = NpgsqlDataSource.Create(owner);
        var prefix = new NpgsqlConnectionStringBuilder(owner).Database!;
        await new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance).GrantAsync(prefix, default);
        await ExecuteAsync(edge, "SELECT count(*) FROM berth.people");
        await using var mine = NpgsqlDataSource.Create(edge);
        await using var rights = mine.CreateCommand("SELECT has_table_privilege('berth.audit_events', 'UPDATE, DELETE, TRUNCATE, TRIGGER')");
        Assert.Equal(false, await rights.ExecuteScalarAsync());
    }

    [SkippableFact]
    public async Task Migrate_BackAndForward_TheRolesHaveTheirRightsAgain()
    {
        var (edge, _, owner) = await LoginAsync("edge");
        await using var source = NpgsqlDataSource.Create(owner);
        var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);

        await migrator.MigrateAsync(1, default);
        await ExecuteAsync(edge, "SELECT count(*) FROM berth.sessions");
        await migrator.MigrateAsync(default);

        await ExecuteAsync(edge, "SELECT count(*) FROM berth.vault_tokens");
        await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(edge, "DELETE FROM berth.audit_events"));
    }

    [SkippableFact]
    public async Task Roles_EveryTableIsNamed()
    {
        var (_, _, owner) = await LoginAsync("edge");
        await using var source = NpgsqlDataSource.Create(owner);
        var role = new NpgsqlConnectionStringBuilder(owner).Database + "_edge";
        await using var command = source.CreateCommand(
            "SELECT string_agg(relname, ', ') FROM pg_class WHERE relnamespace = 'berth'::regnamespace AND relkind = 'r' "
                + $"AND NOT has_table_privilege('{role}', oid, 'SELECT')");
        Assert.Equal(DBNull.Value, await command.ExecuteScalarAsync());
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("a\"; DROP TABLE x; --")]
    [InlineData("A")]
    [InlineData("pg_x")]
    public async Task MigrateRoles_PrefixThatIsNoName_Refused(string prefix)
    {
        var (_, _, owner) = await LoginAsync("edge");
        await using var source = NpgsqlDataSource.Create(owner);
        await Assert.ThrowsAsync<ArgumentException>(() =>
            new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance).GrantAsync(prefix, default));
    }

    private async Task<(string Edge, string Reader, string Owner)> LoginAsync(string kind)
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        Skip.IfNot(postgres.IsOwned, "roles are made in a server of the tests only");
        var owner = postgres.CreateDatabase();
        var name = new NpgsqlConnectionStringBuilder(owner).Database!;
        await using (var source = NpgsqlDataSource.Create(owner))
        {
            var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);
            await migrator.MigrateAsync(default);
            await migrator.GrantAsync(name, default);
        }

        await ExecuteAsync(owner, $"CREATE ROLE {name}_login LOGIN IN ROLE {name}_{kind}");
        var login = new NpgsqlConnectionStringBuilder(owner) { Username = $"{name}_login" }.ConnectionString;
        return (login, login, owner);
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
