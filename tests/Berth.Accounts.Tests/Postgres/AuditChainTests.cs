using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>What somebody with the owner's rights may try, and what several replicas do to one chain.</summary>
public class AuditChainTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly DateTimeOffset Start = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [SkippableTheory]
    [InlineData("UPDATE berth.audit_events SET outcome = 'refused' WHERE seq = 5", 5, "contents")]
    [InlineData("UPDATE berth.audit_events SET subject = NULL WHERE seq = 5", 5, "contents")]
    [InlineData("UPDATE berth.audit_events SET at = at + interval '1 microsecond' WHERE seq = 5", 5, "contents")]
    [InlineData("DELETE FROM berth.audit_events WHERE seq = 5", 5, "missing")]
    [InlineData("DELETE FROM berth.audit_events WHERE seq < 5", 1, "no checkpoint")]
    [InlineData("UPDATE berth.audit_events SET previous = hash WHERE seq = 5", 5, "link")]
    [InlineData("UPDATE berth.audit_events SET hash = decode(repeat('ab', 32), 'hex') WHERE seq = 5", 5, "contents")]
    [InlineData("UPDATE berth.audit_events SET object = 'x', hash = berth.audit_hash(previous, seq::text, id::text, berth.audit_time(at), "
        + "issuer, subject, action, 'x', outcome, request_id) WHERE seq = 5", 6, "link")]
    [InlineData("UPDATE berth.audit_events SET issuer = 'https://idp.exampl', subject = 'eann' WHERE seq = 5", 5, "contents")]
    public async Task Verify_ChangedByTheOwner_NamesTheFirstEventThatIsWrong(string sql, long brokenAt, string reason)
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await WriteAsync(store, 10);
        await ExecuteAsync(database, $"SET session_replication_role = replica; {sql}");

        var found = await store.AuditLog.VerifyAsync(null, default);
        Assert.Equal(brokenAt, found.BrokenAt);
        Assert.Contains(reason, found.Reason, StringComparison.Ordinal);
        Assert.Equal(brokenAt - 1, found.Head.Sequence);
    }

    [SkippableFact]
    public async Task Verify_LastEventsRemovedByTheOwner_SeenByWhoNotedTheHead()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await WriteAsync(store, 10);
        var head = (await store.AuditLog.VerifyAsync(null, default)).Head;
        await ExecuteAsync(database, "SET session_replication_role = replica; DELETE FROM berth.audit_events WHERE seq > 8");

        Assert.Null((await store.AuditLog.VerifyAsync(null, default)).BrokenAt);
        Assert.Equal(9, (await store.AuditLog.VerifyAsync(head, default)).BrokenAt);
    }

    [SkippableFact]
    public async Task Append_FourReplicasAndAnOldOneAtOnce_OneChainWithoutAGap()
    {
        var database = Database();
        var stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync(database)));
        var old = Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                // As an edge of version 1 does it.
                await ExecuteAsync(database, "INSERT INTO berth.audit_events (id, at, issuer, subject, action, object, outcome, request_id) "
                    + $"VALUES ('{Guid.CreateVersion7()}', now(), NULL, NULL, 'old.edge', NULL, 'allowed', NULL) ON CONFLICT (id) DO NOTHING");
            }
        });
        await Task.WhenAll([old, .. stores.Select(s => Task.Run(async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                await WriteAsync(s, 50);
            }
        }))]);

        var found = await stores[0].AuditLog.VerifyAsync(null, default);
        Assert.Equal((1050, 1050, null), (found.Events, found.Head.Sequence, found.Reason));
        foreach (var store in stores)
        {
            await store.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task Append_WriterThatRolledBack_LeavesNoGap()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await WriteAsync(store, 2);
        await ExecuteAsync(database, "BEGIN; INSERT INTO berth.audit_events (id, at, action, outcome) "
            + "VALUES (gen_random_uuid(), now(), 'x', 'allowed'); ROLLBACK");
        await WriteAsync(store, 2);

        Assert.Equal((4, null), (await store.AuditLog.VerifyAsync(null, default)) is var v ? (v.Head.Sequence, v.Reason) : default);
    }

    [SkippableFact]
    public async Task Append_HashAndSequenceGivenByTheInserter_Ignored()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await ExecuteAsync(database, "INSERT INTO berth.audit_events (id, at, action, outcome, seq, previous, hash) "
            + "VALUES (gen_random_uuid(), now(), 'x', 'allowed', 77, 'a', 'b')");

        Assert.Equal((1, null), (await store.AuditLog.VerifyAsync(null, default)) is var v ? (v.Head.Sequence, v.Reason) : default);
    }

    [SkippableFact]
    public async Task Append_TextThatIsFarTooLong_CutAndNothingWaitsBehindIt()
    {
        await using var store = await StartAsync(Database());
        var random = new Random(7);
        var target = new string([.. Enumerable.Range(0, 20_000).Select(_ => (char)random.Next(0x4e00, 0x9f00))]);
        store.Audit(new() { At = Start, Action = "a.b", Target = target, Outcome = "allowed" });
        await WriteAsync(store, 1);

        var events = await store.ListAuditAsync(new(), default);
        Assert.Equal(2, events.Count);
        Assert.Contains(events, e => e.Target?.Length == 600 && target.StartsWith(e.Target, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Expire_YoungerThanTheOwnersMinimum_RefusedWithTheReason()
    {
        await using var store = await StartAsync(Database());
        await WriteAsync(store, 3);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            store.AuditLog.ExpireAsync(TimeProvider.System.GetUtcNow().AddDays(-89), default));
        Assert.Contains("90 days", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, (await store.AuditLog.VerifyAsync(null, default)).Events);
    }

    [SkippableFact]
    public async Task Expire_OldEvents_EventSaysSoAndPlainDeletesStayRefused()
    {
        var database = Database();
        await using var store = await StartAsync(database);
        await WriteAsync(store, 5);
        Assert.Equal(5, await store.AuditLog.ExpireAsync(Start.AddYears(1), default));

        var left = Assert.Single(await store.ListAuditAsync(new(), default));
        Assert.Equal(("audit.expire", "audit/5"), (left.Action, left.Target));
        Assert.Null((await store.AuditLog.VerifyAsync(null, default)).Reason);
        await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(database, "DELETE FROM berth.audit_events"));
    }

    [SkippableFact]
    public async Task Read_MoreThanAPage_AllOnceInOrder()
    {
        await using var store = await StartAsync(Database());
        await WriteAsync(store, 2500);
        var sequences = new List<long>();
        await foreach (var entry in store.AuditLog.ReadAsync(new(), default))
        {
            sequences.Add(entry.Sequence);
        }

        Assert.Equal(Enumerable.Range(1, 2500).Select(i => (long)i), sequences);
    }

    private static async Task WriteAsync(IAccountStore store, int count)
    {
        for (var i = 0; i < count; i++)
        {
            store.Audit(new()
            {
                At = Start.AddSeconds(i),
                Actor = new("https://idp.example", "ann"),
                Action = "a.b",
                Target = $"t/{i}",
                Outcome = "allowed"
            });
        }

        await store.FlushAsync(default);
    }

    private static async Task<IAccountStore> StartAsync(string database)
    {
        var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        return store;
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private string Database()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return postgres.CreateDatabase();
    }
}
