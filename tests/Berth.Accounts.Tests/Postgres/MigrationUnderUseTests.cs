using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>
/// Forward, back and forward on a populated database while an edge of version 1 (its statements, word for word) and one of this version
/// go on working.
/// </summary>
public class MigrationUnderUseTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");

    [SkippableFact]
    public async Task Migrate_ForwardBackForwardWithBothEdges_NothingLostAndNothingBroken()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        await using var source = NpgsqlDataSource.Create(database);
        var migrator = new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance);
        await migrator.MigrateAsync(1, default);
        await ExecuteAsync(source, "INSERT INTO berth.people SELECT gen_random_uuid(), 'https://idp.example', 'p' || i, NULL, NULL, now(), now(), "
            + "NULL, 0 FROM generate_series(1, 2000) AS i");
        await ExecuteAsync(source, "INSERT INTO berth.audit_events SELECT gen_random_uuid(), now() - i * interval '1 s', 'i', 's', 'a.b', "
            + "'o/' || i, 'allowed', NULL FROM generate_series(1, 5000) AS i");

        using var stop = new CancellationTokenSource();
        var old = OldEdgeAsync(source, stop.Token);

        await migrator.MigrateAsync(default);
        await using var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance, migrate: false);
        await store.StartAsync(default);
        var now = TimeProvider.System.GetUtcNow();
        await store.RecordSignInAsync(SignIn("new-1", now), default);
        store.Audit(new() { At = now, Action = "new.edge", Outcome = "allowed" });
        await store.FlushAsync(default);
        Assert.Null((await store.AuditLog.VerifyAsync(null, default)).Reason);

        await migrator.MigrateAsync(1, default);
        await Assert.ThrowsAsync<AccountsUnavailableException>(() => store.RecordSignInAsync(SignIn("new-2", now), default));
        await Assert.ThrowsAsync<AccountsUnavailableException>(() => store.Preferences.FindAsync(Ann, default));
        Assert.False(store.Revocations.IsRevoked("new-1", Ann, 0));
        await store.RevokeSessionAsync("new-1", now.AddDays(1), default);
        store.Audit(new() { At = now, Action = "new.edge", Target = "on/old", Outcome = "allowed" });
        store.TouchSession("new-1", now.AddMinutes(1), now.AddHours(8));
        await Assert.ThrowsAsync<PostgresException>(() => store.FlushAsync(default));
        Assert.Single(await store.ListAuditAsync(new() { Target = "on/old" }, default));

        await migrator.MigrateAsync(default);
        Assert.False((await store.RecordSignInAsync(SignIn("new-3", now), default)).Disabled);
        await store.FlushAsync(default);
        await stop.CancelAsync();
        var (signIns, events) = await old;
        Assert.True(signIns > 0 && events > 0);

        var verified = await store.AuditLog.VerifyAsync(null, default);
        Assert.Null(verified.Reason);
        Assert.Equal(5000 + events + 2, verified.Events);
        await using var count = source.CreateCommand("SELECT count(*) FROM berth.people WHERE subject LIKE 'p%'");
        Assert.Equal(2000L, await count.ExecuteScalarAsync());
        Assert.Equal(signIns + 1, (await store.ListSessionsAsync(Ann, default)).Count);
    }

    // Nothing that version 1 does may fail at any moment: a migration makes it wait, and no more.
    private static async Task<(int SignIns, int Events)> OldEdgeAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        const string SignIn = """
            WITH person AS (
                INSERT INTO berth.people AS p (id, issuer, subject, email, name, created_at, last_seen_at)
                VALUES ($1, $2, $3, $4, $5, $6, $6)
                ON CONFLICT (issuer, subject) DO UPDATE SET
                    email = COALESCE(excluded.email, p.email),
                    name = COALESCE(excluded.name, p.name),
                    last_seen_at = GREATEST(excluded.last_seen_at, p.last_seen_at)
                RETURNING id, epoch, disabled_at
            ), session AS (
                INSERT INTO berth.sessions (id, person_id, device, provider_session_id, epoch, created_at, last_seen_at, expires_at)
                SELECT $7, id, $8, $9, epoch, $6, $6, $10 FROM person WHERE disabled_at IS NULL
                ON CONFLICT (id) DO NOTHING
            )
            SELECT epoch, disabled_at IS NOT NULL FROM person
            """;
        const string Audit = "INSERT INTO berth.audit_events (id, at, issuer, subject, action, object, outcome, request_id) VALUES "
            + "($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (id) DO NOTHING";
        var (signIns, events) = (0, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            var now = TimeProvider.System.GetUtcNow();
            await using var signIn = source.CreateCommand(SignIn);
            signIn.Parameters.AddRange(new NpgsqlParameter[]
            {
                new() { Value = Guid.CreateVersion7() }, Parameter.Text(Ann.Issuer), Parameter.Text(Ann.Subject), Parameter.Text(null),
                Parameter.Text("Ann"), Parameter.Time(now), Parameter.Text($"old-{signIns}"), Parameter.Text("Firefox"), Parameter.Text(null),
                Parameter.Time(now.AddDays(1)),
            });
            await signIn.ExecuteNonQueryAsync(CancellationToken.None);
            signIns++;
            await using var audit = source.CreateCommand(Audit);
            audit.Parameters.AddRange(new NpgsqlParameter[]
            {
                new() { Value = Guid.CreateVersion7() }, Parameter.Time(now), Parameter.Text(Ann.Issuer), Parameter.Text(Ann.Subject),
                Parameter.Text("old.edge"), Parameter.Text(null), Parameter.Text("allowed"), Parameter.Text(null),
            });
            await audit.ExecuteNonQueryAsync(CancellationToken.None);
            events++;
        }

        return (signIns, events);
    }

    private static SignIn SignIn(string session, DateTimeOffset at) =>
        new() { Person = Ann, SessionId = session, At = at, ExpiresAt = at.AddHours(24), IdleExpiresAt = at.AddHours(8) };

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
