using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Polly.CircuitBreaker;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>A database that is slow, full, read only, restarting, failed over or gone, and what goes on meanwhile.</summary>
public class DegradationTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    [SkippableFact]
    public async Task ReadOnly_WritesRefusedReadsGoOn_AndWritableAgainWithoutARestart()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await SignInAsync(store, "one");
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        await ExecuteAsync(database, $"ALTER DATABASE {name} SET default_transaction_read_only = on");
        await ExecuteAsync(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            + "WHERE datname = current_database() AND pid <> pg_backend_pid()");

        await Assert.ThrowsAsync<AccountsUnavailableException>(() => SignInAsync(store, "two"));
        await Assert.ThrowsAsync<AccountsUnavailableException>(() => store.Preferences.PutAsync(Ann, new(), null, default));
        await Eventually(async () => (await store.ListSessionsAsync(Ann, default)).Count == 1);
        await store.RevokeSessionAsync("one", Now.AddDays(1), default);
        Assert.Equal(SessionState.Revoked, store.Revocations.StandingOf("one", Ann, 0));

        await ExecuteAsync(database + ";Options=-c default_transaction_read_only=off",
            $"ALTER DATABASE {name} RESET default_transaction_read_only");
        await Eventually(async () => !(await SignInAsync(store, "three")).Disabled);
        await Eventually(async () =>
        {
            await store.FlushAsync(default);
            return (await store.ListSessionsAsync(Ann, default)).Select(s => s.Id).SequenceEqual(["three"]);
        });
    }

    [SkippableFact]
    public async Task DiskFull_WritesRefusedNothingQueuedIsLost()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await ExecuteAsync(database, """
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON berth.sessions FOR EACH ROW EXECUTE FUNCTION full_disk();
            CREATE TRIGGER a_full_disk BEFORE INSERT ON berth.audit_events FOR EACH ROW EXECUTE FUNCTION full_disk();
            """);
        store.Audit(new() { At = Now, Action = "a.b", Outcome = "allowed" });

        await Assert.ThrowsAsync<AccountsUnavailableException>(() => SignInAsync(store, "one"));
        await Assert.ThrowsAsync<PostgresException>(() => store.FlushAsync(default));
        Assert.Empty(await store.ListAuditAsync(new(), default));

        await ExecuteAsync(database, "DROP TRIGGER full_disk ON berth.sessions; DROP TRIGGER a_full_disk ON berth.audit_events");
        await Eventually(async () => !(await SignInAsync(store, "two")).Disabled);
        await store.FlushAsync(default);
        Assert.Equal("a.b", Assert.Single(await store.ListAuditAsync(new(), default)).Action);
    }

    [SkippableFact]
    public async Task Slow_StatementsAreCutAndEverythingInMemoryAnswers()
    {
        var database = Database();
        await using var store = await StartAsync(database + ";Command Timeout=1");
        await SignInAsync(store, "one");
        await using (var locker = new NpgsqlConnection(database + ";Pooling=false"))
        {
            await locker.OpenAsync();
            await using var transaction = await locker.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand("LOCK TABLE berth.people, berth.preferences IN ACCESS EXCLUSIVE MODE", locker);
            await hold.ExecuteNonQueryAsync();

            var waiting = Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? SignInAsync(store, $"w{i}")
                : (Task)store.Preferences.FindAsync(Ann, default)).ToArray();
            Assert.Equal(SessionState.Active, store.Revocations.StandingOf("one", Ann, 0));
            Assert.True(store.Revocations.IsCurrent);
            foreach (var call in waiting)
            {
                await Assert.ThrowsAsync<AccountsUnavailableException>(() => call);
            }

            await transaction.RollbackAsync();
        }

        await Eventually(async () => !(await SignInAsync(store, "two")).Disabled);
    }

    [SkippableFact]
    public async Task PoolUsedUp_NextCallersRefusedInTheirTime()
    {
        var database = Database();
        await using var store = await StartAsync(database + ";Maximum Pool Size=2;Timeout=1;Command Timeout=30");
        await using var locker = new NpgsqlConnection(database + ";Pooling=false");
        await locker.OpenAsync();
        await using var transaction = await locker.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE berth.preferences IN ACCESS EXCLUSIVE MODE", locker))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var holders = new[] { store.Preferences.FindAsync(Ann, default), store.Preferences.FindAsync(Ann, default) };
        await Until(async () => (long)(await ScalarAsync(database,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))! == 2);
        await Assert.ThrowsAsync<AccountsUnavailableException>(() => store.UserData.ListAsync(Ann, default));
        foreach (var holder in holders)
        {
            // The limit of the whole, not of the statement: 8 s.
            await Assert.ThrowsAsync<AccountsUnavailableException>(() => holder);
        }

        await transaction.RollbackAsync();
        await Eventually(async () => (await store.UserData.ListAsync(Ann, default)).Count == 0);
    }

    [SkippableFact]
    public async Task Gone_BreakerRefusesWithoutAsking_AndClosesWhenTheServerIsBack()
    {
        using var server = PostgresInstance.Create(out var reason);
        Skip.If(server is null, reason);
        server.Start();
        await using var store = await StartAsync(server.ConnectionString + ";Database=postgres");
        server.Stop("immediate");

        AccountsUnavailableException error;
        var tried = 0;
        do
        {
            error = await Assert.ThrowsAsync<AccountsUnavailableException>(() => SignInAsync(store, "one"));
        }
        while (error.InnerException is not BrokenCircuitException && ++tried < 30);
        Assert.IsType<BrokenCircuitException>(error.InnerException, exactMatch: false);

        server.Start();
        await Eventually(async () => !(await SignInAsync(store, "two")).Disabled && store.Revocations.IsCurrent);
    }

    [SkippableFact]
    public async Task Restarting_SignInsAllTheWhile_EachEndsAndTheLastOnesWork()
    {
        using var server = PostgresInstance.Create(out var reason);
        Skip.If(server is null, reason);
        server.Start();
        await using var store = await StartAsync(server.ConnectionString + ";Database=postgres");
        using var stop = new CancellationTokenSource();
        var (good, refused) = (0, 0);
        var signIns = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                try
                {
                    await SignInAsync(store, $"s{i}");
                    good++;
                }
                catch (AccountsUnavailableException)
                {
                    refused++;
                }
            }
        });
        for (var round = 0; round < 3; round++)
        {
            var before = Volatile.Read(ref good);
            await Until(() => Task.FromResult(Volatile.Read(ref good) > before + 5));
            server.Stop(round % 2 == 0 ? "immediate" : "fast");
            server.Start();
        }

        var last = Volatile.Read(ref good);
        await Until(() => Task.FromResult(Volatile.Read(ref good) > last + 5));
        await stop.CancelAsync();
        await signIns;
        Assert.True((await store.ListSessionsAsync(Ann, default)).Count >= good);
    }

    [SkippableFact]
    public async Task FailedOver_StandbyPromoted_WritesGoThereAndRevocationsArrive()
    {
        using var primary = PostgresInstance.Create(out var reason);
        Skip.If(primary is null, reason);
        primary.Start();
        var folder = Path.Combine(primary.Folder, "standby");
        var (code, output) = primary.Run("pg_basebackup", "-D", folder, "-R", "-X", "stream", "-c", "fast");
        Assert.True(code == 0, output);
        using var standby = primary.Beside(folder);
        standby.Start();
        var both = $"Host=127.0.0.1:{standby.Port},127.0.0.1:{primary.Port};Username=test;Database=postgres";
        await using var store = await StartAsync(both);
        await SignInAsync(store, "one");
        var there = standby.ConnectionString + ";Database=postgres;Pooling=false";

        // The standby is behind at first: it may not even have the tables yet.
        await Eventually(async () => await ScalarAsync(there, "SELECT count(*) FROM berth.sessions") is 1L);

        primary.Stop("immediate");
        await Assert.ThrowsAsync<AccountsUnavailableException>(() => SignInAsync(store, "two"));
        Assert.Equal(true, await ScalarAsync(there, "SELECT pg_promote()"));

        await Eventually(async () => !(await SignInAsync(store, "three")).Disabled);
        await Eventually(() => Task.FromResult(store.Revocations.IsCurrent));
        await ExecuteAsync(there, "UPDATE berth.people SET epoch = epoch + 1");
        await Until(() => Task.FromResult(store.Revocations.StandingOf("three", Ann, 0) == SessionState.Superseded));
    }

    private static Task<SignInOutcome> SignInAsync(IAccountStore store, string id) =>
        store.RecordSignInAsync(new() { Person = Ann, SessionId = id, At = Now, ExpiresAt = Now.AddDays(1) }, default);

    private static async Task<IAccountStore> StartAsync(string database)
    {
        var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        return store;
    }

    private static async Task ExecuteAsync(string database, string sql) => await ScalarAsync(database + ";Pooling=false", sql);

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private static Task Eventually(Func<Task<bool>> condition) => Until(async () =>
    {
        try
        {
            return await condition();
        }
        catch (Exception error) when (error is AccountsUnavailableException or NpgsqlException)
        {
            return false;
        }
    });

    private string Database()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return postgres.CreateDatabase();
    }
}
