using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

public class PostgresAccountStoreTests(ThrowawayPostgres postgres) : AccountStoreContract, IClassFixture<ThrowawayPostgres>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected override Task<IAccountStore> CreateAsync() => StartAsync(Database());

    [SkippableFact]
    public async Task Migrate_TwoReplicasAtOnce_SchemaMadeOnce()
    {
        var database = Database();
        var stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync(database)));
        foreach (var store in stores)
        {
            await store.DisposeAsync();
        }

        await using var source = NpgsqlDataSource.Create(database);
        Assert.Equal(0, await new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance).MigrateAsync(default));
        await using var command = source.CreateCommand("SELECT count(*) FROM berth.schema_versions");
        Assert.Equal((long)MigrationScripts.All.Count, await command.ExecuteScalarAsync());
    }

    [SkippableFact]
    public async Task Migrate_ScriptThatRanWithOtherContents_Refuses()
    {
        var database = Database();
        await (await StartAsync(database)).DisposeAsync();
        await ExecuteAsync(database, "UPDATE berth.schema_versions SET checksum = 'other'");

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(database));
        Assert.Contains("0001_accounts", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Migrate_NewerDatabase_Accepted()
    {
        var database = Database();
        await (await StartAsync(database)).DisposeAsync();
        await ExecuteAsync(database, "INSERT INTO berth.schema_versions (version, name, checksum) VALUES (9999, '9999_later', 'x')");

        await using var store = await StartAsync(database);
        Assert.False((await store.RecordSignInAsync(NewSignIn("s"), default)).Disabled);
    }

    [SkippableFact]
    public async Task Model_EveryMappedTable_CanBeReadFromTheMigratedSchema()
    {
        await using var store = (PostgresAccountStore)await CreateAsync();
        await using var context = store.CreateContext();
        Assert.Empty(await context.People.ToListAsync());
        Assert.Empty(await context.Sessions.Include(s => s.Person).ToListAsync());
        Assert.Empty(await context.RevokedSessions.ToListAsync());
        Assert.Empty(await context.AuditEvents.ToListAsync());
    }

    [SkippableTheory]
    [InlineData("UPDATE berth.audit_events SET outcome = 'x'")]
    [InlineData("DELETE FROM berth.audit_events")]
    [InlineData("TRUNCATE berth.audit_events")]
    public async Task AuditTable_Changed_Refuses(string sql)
    {
        var database = Database();
        await using var store = await StartAsync(database);
        store.Audit(new() { At = Start, Action = "a.b", Outcome = "allowed" });
        await store.FlushAsync(default);

        await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(database, sql));
        Assert.Single(await store.ListAuditAsync(new(), default));
    }

    [SkippableFact]
    public async Task Revoke_OnOneReplica_ReachesTheOther()
    {
        var database = Database();
        await using var one = await StartAsync(database);
        await using var two = await StartAsync(database);
        var outcome = await one.RecordSignInAsync(NewSignIn("s1"), default);

        await one.RevokeSessionAsync("s1", DateTimeOffset.UnixEpoch.AddYears(200), default);
        await Until(() => two.Revocations.IsRevoked("s1", Ann, outcome.Epoch));

        await one.RevokeAllSessionsAsync(Ann, default);
        await Until(() => two.Revocations.IsRevoked("another", Ann, outcome.Epoch));
    }

    [SkippableFact]
    public async Task Revoke_BySqlOfAnAdministrator_ReachesReplicas()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await store.RecordSignInAsync(NewSignIn("s1"), default);
        await ExecuteAsync(database, "UPDATE berth.people SET epoch = epoch + 1 WHERE subject = 'ann'");

        await Until(() => store.Revocations.IsRevoked("s1", Ann, 0));
    }

    [SkippableFact]
    public async Task Start_RevocationsMadeEarlier_AreKnownAtOnce()
    {
        var database = Database();
        await using (var earlier = await StartAsync(database))
        {
            await earlier.RecordSignInAsync(NewSignIn("s1"), default);
            await earlier.RevokeSessionAsync("s1", DateTimeOffset.UnixEpoch.AddYears(200), default);
            await earlier.RevokeAllSessionsAsync(Ann, default);
        }

        await using var store = await StartAsync(database);
        Assert.True(store.Revocations.IsRevoked("s1", new PersonKey("x", "y"), 0));
        Assert.True(store.Revocations.IsRevoked("s2", Ann, 0));
    }

    [SkippableFact]
    public async Task Notice_ThatIsNotOurs_ListeningGoesOn()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        foreach (var payload in (string[])["", "{", "[]", "1", "{\"session\":1}", "{\"session\":\"a\",\"until\":\"b\"}",
            "{\"issuer\":null}"])
        {
            await ExecuteAsync(database, $"NOTIFY berth_revocations, '{payload}'");
        }

        await store.RecordSignInAsync(NewSignIn("s1"), default);
        await ExecuteAsync(database, "UPDATE berth.people SET epoch = 7");
        await Until(() => store.Revocations.IsRevoked("s", Ann, 6));
    }

    private static async Task<IAccountStore> StartAsync(string database, TimeProvider? clock = null)
    {
        var store = new PostgresAccountStore(database, clock ?? new FakeTimeProvider(Start), NullLoggerFactory.Instance);
        try
        {
            await store.StartAsync(default);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    internal static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private string Database()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return postgres.CreateDatabase();
    }
}
