using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

public class MigrationTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Migrate_ForwardBackForward_SameSchemaEachTime()
    {
        await using var source = Database();
        var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);
        var shapes = new List<string>();
        for (var version = 0; version <= AccountsMigrator.LatestVersion; version++)
        {
            if (version > 0 && MigrationScripts.All.All(s => s.Version != version))
            {
                shapes.Add("");
                continue;
            }

            await migrator.MigrateAsync(version, default);
            shapes.Add(await ShapeAsync(source));
        }

        Assert.Contains("table people", shapes[1], StringComparison.Ordinal);
        for (var version = AccountsMigrator.LatestVersion; version >= 0; version--)
        {
            if (shapes[version].Length > 0)
            {
                await migrator.MigrateAsync(version, default);
                Assert.Equal(shapes[version], await ShapeAsync(source));
            }
        }

        Assert.Equal(MigrationScripts.All.Count, await migrator.MigrateAsync(default));
        Assert.Equal(shapes[^1], await ShapeAsync(source));
    }

    [SkippableFact]
    public async Task Migrate_BackOverAVersionNobodyKnows_RefusesAndNamesIt()
    {
        await using var source = Database();
        var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);
        await migrator.MigrateAsync(default);
        await ExecuteAsync(source, "INSERT INTO berth.schema_versions (version, name, checksum) VALUES (9999, '9999_later', 'x')");

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => migrator.MigrateAsync(0, default));
        Assert.Contains("9999_later", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, await migrator.MigrateAsync(default));
    }

    [SkippableFact]
    public async Task Migrate_ScriptThatFails_NothingOfItStaysAndTheNextRunWorks()
    {
        await using var source = Database();
        var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);
        await migrator.MigrateAsync(0, default);
        await ExecuteAsync(source, "CREATE TABLE berth.audit_events (x int)");
        await Assert.ThrowsAsync<PostgresException>(() => migrator.MigrateAsync(default));
        await ExecuteAsync(source, "DROP TABLE berth.audit_events");

        Assert.Equal(MigrationScripts.All.Count, await migrator.MigrateAsync(default));
    }

    [SkippableFact]
    public async Task Check_EachVersionBelowTheLatest_RefusesAndSaysWhatToRun()
    {
        await using var source = Database();
        var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);
        var fresh = await Assert.ThrowsAsync<InvalidOperationException>(() => migrator.CheckAsync(default));
        Assert.Contains("0001_accounts", fresh.Message, StringComparison.Ordinal);
        Assert.Contains("'migrate'", fresh.Message, StringComparison.Ordinal);
        foreach (var script in MigrationScripts.All.SkipLast(1))
        {
            await migrator.MigrateAsync(script.Version, default);
            await Assert.ThrowsAsync<InvalidOperationException>(() => migrator.CheckAsync(default));
        }

        await migrator.MigrateAsync(default);
        await migrator.CheckAsync(default);
    }

    [SkippableFact]
    public async Task Start_ToldNotToMigrate_ChangesNothingUntilSomebodyDid()
    {
        await using var source = Database();
        await using var store = new PostgresAccountStore(source.ConnectionString, TimeProvider.System, NullLoggerFactory.Instance, false);
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.StartAsync(default));
        Assert.Equal("", await ShapeAsync(source));

        await new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance).MigrateAsync(default);
        await store.StartAsync(default);
        Assert.True(store.Revocations.IsCurrent);
    }

    /// <summary>Everything in the schema in words: what a dump would show, in an order of its own.</summary>
    internal static async Task<string> ShapeAsync(NpgsqlDataSource source)
    {
        const string Sql = """
            SELECT string_agg(line, E'\n' ORDER BY line) FROM (
                SELECT 'table ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(obj_description(c.oid), '') AS line
                FROM pg_class c WHERE c.relnamespace = to_regnamespace('berth') AND c.relname NOT LIKE 'schema_versions%'
                UNION ALL
                SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text
                    || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                WHERE c.relnamespace = to_regnamespace('berth') AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
                UNION ALL
                SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                WHERE c.relnamespace = to_regnamespace('berth')
                UNION ALL
                SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = to_regnamespace('berth')
                UNION ALL
                SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                WHERE c.relnamespace = to_regnamespace('berth') AND NOT t.tgisinternal
                UNION ALL
                SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = to_regnamespace('berth')
            ) AS shape
            """;
        await using var command = source.CreateCommand(Sql);
        return await command.ExecuteScalarAsync() as string ?? "";
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private NpgsqlDataSource Database()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return NpgsqlDataSource.Create(postgres.CreateDatabase());
    }
}
