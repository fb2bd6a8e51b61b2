using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>Since when keys are in use is known to all replicas, and outlives them.</summary>
public class KeyUseTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [SkippableFact]
    public async Task FirstUse_AReplicaOfLaterDays_IsToldTheDayOfTheFirst()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        var clock = new FakeTimeProvider(Start);
        await using (var early = new PostgresAccountStore(database, clock, NullLoggerFactory.Instance))
        {
            await early.StartAsync(default);
            await early.KeyUses.FirstUseAsync("session", "one", default);
        }

        clock.Advance(TimeSpan.FromDays(100));
        await using var late = new PostgresAccountStore(database, clock, NullLoggerFactory.Instance);
        await late.StartAsync(default);

        Assert.Equal(Start, await late.KeyUses.FirstUseAsync("session", "one", default));
        Assert.Equal(Start.AddDays(100), await late.KeyUses.FirstUseAsync("session", "two", default));
    }

    [SkippableFact]
    public async Task Migration_KeysThatTheVaultKnew_KeepTheirAge()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        await using var source = NpgsqlDataSource.Create(database);
        var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);
        await migrator.MigrateAsync(5, default);
        await using (var known = source.CreateCommand(
            "INSERT INTO berth.vault_keys VALUES ('seal', 'k1', 'x', '2030-01-01Z'), ('fingerprint', 'f1', 'x', '2030-01-02Z')"))
        {
            await known.ExecuteNonQueryAsync();
        }

        await using var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);

        Assert.Equal(Start, await store.KeyUses.FirstUseAsync("vault", "k1", default));
        Assert.Equal(Start.AddDays(1), await store.KeyUses.FirstUseAsync("vault-fingerprint", "f1", default));
    }
}
