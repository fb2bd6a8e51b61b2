using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

public class UpkeepTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");
    private readonly FakeTimeProvider _clock = new(new(2030, 6, 1, 0, 0, 0, TimeSpan.Zero));

    [SkippableFact]
    public async Task Run_WhatIsOver_RemovedAndWhatIsNotKept()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        var now = _clock.GetUtcNow();
        await SignInAsync(store, "expired", now.AddDays(-32));
        await SignInAsync(store, "recent", now.AddDays(-29));
        await SignInAsync(store, "live", now);
        await store.RevokeSessionAsync("past", now.AddHours(-2), default);
        await store.RevokeSessionAsync("behind", now.AddMinutes(-30), default);
        store.WorkspaceRecords.Record(NewRecord("old", now.AddDays(-732)));
        store.WorkspaceRecords.Record(NewRecord("new", now.AddDays(-730)));
        store.Usage.Record(new("u", "r", DateOnly.FromDateTime(now.UtcDateTime).AddDays(-740), Ann, "w", 5));
        store.Usage.Record(new("u", "r", DateOnly.FromDateTime(now.UtcDateTime), Ann, "w", 5));
        await store.FlushAsync(default);

        Assert.Equal(new UpkeepOutcome(false, 1, 1, 0, 2), await store.Upkeep.RunAsync(new(), default));
        Assert.Equal(["live", "recent"], await ColumnAsync(database, "SELECT id FROM berth.sessions ORDER BY id"));
        Assert.Equal(["behind"], await ColumnAsync(database, "SELECT id FROM berth.revoked_sessions"));
        Assert.Equal(["new"], await ColumnAsync(database, "SELECT event FROM berth.workspace_records"));
        Assert.Equal(new UpkeepOutcome(false, 0, 0, 0, 0), await store.Upkeep.RunAsync(new(), default));
    }

    [SkippableFact]
    public async Task Run_MoreThanOneRoundMayDo_StopsAtTheBoundAndGoesOnNextTime()
    {
        await using var store = await StartAsync(Database());
        for (var i = 0; i < 25; i++)
        {
            await SignInAsync(store, $"s{i}", _clock.GetUtcNow().AddDays(-60));
        }

        var options = new UpkeepOptions { Batch = 10, MaximumBatches = 2 };
        Assert.Equal(20, (await store.Upkeep.RunAsync(options, default)).Sessions);
        Assert.Equal(5, (await store.Upkeep.RunAsync(options, default)).Sessions);
    }

    [SkippableFact]
    public async Task Run_WhileAnotherReplicaIsAtIt_BusyUntilThatOneIsGone()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await SignInAsync(store, "s", _clock.GetUtcNow().AddDays(-60));
        await using (var other = new NpgsqlConnection(database + ";Pooling=false"))
        {
            await other.OpenAsync();
            await using var hold = new NpgsqlCommand($"SELECT pg_advisory_lock({PostgresUpkeep.LockKey})", other);
            await hold.ExecuteNonQueryAsync();
            Assert.Equal(new UpkeepOutcome(true, 0, 0, 0, 0), await store.Upkeep.RunAsync(new(), default));
        }

        // The server notices the end of the other's connection a moment later.
        UpkeepOutcome outcome;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        do
        {
            outcome = await store.Upkeep.RunAsync(new(), limit.Token);
        }
        while (outcome.WasBusy);
        Assert.Equal(1, outcome.Sessions);
    }

    [SkippableFact]
    public async Task Run_AuditForAYear_OlderEventsGoByTheirOwnWay()
    {
        await using var store = await StartAsync(Database());
        store.Audit(new() { At = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), Action = "a.b", Outcome = "allowed" });
        await store.FlushAsync(default);

        // The database has a clock of its own for its minimum: this one is set to years that are past for both.
        _clock.Advance(new DateTimeOffset(2022, 1, 1, 0, 0, 0, TimeSpan.Zero) - _clock.GetUtcNow());
        Assert.Equal(1, (await store.Upkeep.RunAsync(new() { KeepAudit = TimeSpan.FromDays(365) }, default)).AuditEvents);
        Assert.Null((await store.AuditLog.VerifyAsync(null, default)).Reason);
    }

    [SkippableFact]
    public async Task Revoke_SessionInTheTable_EndedWithTheReason()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        var now = TimeProvider.System.GetUtcNow();
        foreach (var id in (string[])["one", "two"])
        {
            await store.RecordSignInAsync(new() { Person = Ann, SessionId = id, At = now, ExpiresAt = now.AddDays(1) }, default);
        }

        await store.RevokeSessionAsync("one", now.AddDays(1), default);
        await store.SetDisabledAsync(Ann, true, default);
        Assert.Equal(["one revoked", "two disabled"], await ColumnAsync(database,
            "SELECT id || ' ' || end_reason FROM berth.sessions WHERE ended_at IS NOT NULL ORDER BY id"));
    }

    private static WorkspaceRecord NewRecord(string name, DateTimeOffset at) =>
        new() { WorkspaceUid = "u", Event = name, Owner = Ann, Workspace = "w", Kind = "start", At = at };

    private static Task<SignInOutcome> SignInAsync(IAccountStore store, string id, DateTimeOffset at) =>
        store.RecordSignInAsync(new() { Person = Ann, SessionId = id, At = at, ExpiresAt = at.AddDays(1) }, default);

    private static async Task<List<string>> ColumnAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetString(0));
        }

        return values;
    }

    private async Task<IAccountStore> StartAsync(string database)
    {
        var store = new PostgresAccountStore(database, _clock, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        return store;
    }

    private string Database()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return postgres.CreateDatabase();
    }
}
