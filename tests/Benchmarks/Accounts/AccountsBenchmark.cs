using Berth.Accounts;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Benchmarks.Accounts;

/// <summary>Sessions and the audit log on a real PostgreSQL of this machine, beside the plain statements of the same connection.</summary>
internal static class AccountsBenchmark
{
    private const int Events = 20_000;

    public static async Task RunAsync()
    {
        await ValidationAsync();
        using var postgres = new ThrowawayPostgres();
        if (postgres.SkipReason is not null)
        {
            Console.WriteLine($"skipped: accounts on PostgreSQL: {postgres.SkipReason}");
            return;
        }

        var database = postgres.CreateDatabase();
        await using var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        await AuditAsync(store, database);
        await SignInAsync(store);
        await QueryPerRequestAsync(database);
    }

    // What each request pays: times and revocations, with some revoked sessions known.
    private static async Task ValidationAsync()
    {
        await using var store = new InMemoryAccountStore(TimeProvider.System);
        var policy = new SessionPolicy(TimeSpan.FromHours(8), TimeSpan.FromHours(24));
        var now = TimeProvider.System.GetUtcNow();
        var person = new PersonKey("https://idp.example", "ann");
        foreach (var i in Enumerable.Range(0, 100))
        {
            await store.RevokeSessionAsync($"revoked-{i}", now.AddDays(1), default);
        }

        var times = policy.Begin(now);
        const int Rounds = 5_000_000;
        var active = 0;
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < Rounds; i++)
        {
            var standing = store.Revocations.StandingOf("22-characters-base64url", person, 0);
            active += policy.StateOf(times, standing, now) == SessionState.Active ? 1 : 0;
        }

        Program.Print("accounts.session-validation", active / TimeProvider.System.GetElapsedTime(started).TotalSeconds, "ops/s");
    }

    private static async Task AuditAsync(PostgresAccountStore store, string database)
    {
        var now = TimeProvider.System.GetUtcNow();
        await AppendAsync(store, now, 1000); // warm
        var started = TimeProvider.System.GetTimestamp();
        await AppendAsync(store, now, Events);
        var chained = Events / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Program.Print("accounts.audit-append", chained, "events/s");

        started = TimeProvider.System.GetTimestamp();
        var found = await store.AuditLog.VerifyAsync(null, default);
        Program.Print("accounts.audit-verify", found.Events / TimeProvider.System.GetElapsedTime(started).TotalSeconds, "events/s");

        // The same rows without the chain, in the same batches.
        await using var source = NpgsqlDataSource.Create(database);
        await using (var make = source.CreateCommand(
            "CREATE TABLE plain (LIKE berth.audit_events INCLUDING INDEXES); ALTER TABLE plain ALTER seq DROP NOT NULL, ALTER previous DROP NOT NULL, "
                + "ALTER hash DROP NOT NULL"))
        {
            await make.ExecuteNonQueryAsync();
        }

        started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < Events; i += 500)
        {
            await using var insert = source.CreateCommand("INSERT INTO plain (id, at, issuer, subject, action, object, outcome) "
                + "SELECT gen_random_uuid(), now(), 'https://idp.example', 'ann', 'workspace.start', 'workspaces/' || i, 'allowed' "
                + "FROM generate_series(1, 500) AS i");
            await insert.ExecuteNonQueryAsync();
        }

        var plain = Events / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Program.Print("accounts.audit-append-share-of-plain-insert", chained / plain, "ratio");
    }

    private static async Task AppendAsync(PostgresAccountStore store, DateTimeOffset now, int count)
    {
        for (var i = 0; i < count; i++)
        {
            store.Audit(new()
            {
                At = now,
                Actor = new("https://idp.example", "ann"),
                Action = "workspace.start",
                Target = $"workspaces/{i}",
                Outcome = "allowed"
            });
            if (i % 5000 == 4999)
            {
                await store.FlushAsync(default);
            }
        }

        await store.FlushAsync(default);
    }

    private static async Task SignInAsync(PostgresAccountStore store)
    {
        var now = TimeProvider.System.GetUtcNow();
        const int SignIns = 4000;
        var started = TimeProvider.System.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, SignIns), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, token) =>
            await store.RecordSignInAsync(
                new() { Person = new("https://idp.example", $"p{i % 500}"), SessionId = $"s{i}", At = now, ExpiresAt = now.AddDays(1) }, token));
        Program.Print("accounts.sign-in", SignIns / TimeProvider.System.GetElapsedTime(started).TotalSeconds, "ops/s");
    }

    // The alternative to memory: one indexed statement for each request.
    private static async Task QueryPerRequestAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        const int Rounds = 5000;
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < Rounds; i++)
        {
            await using var command = source.CreateCommand("SELECT expires_at FROM berth.sessions WHERE id = $1");
            command.Parameters.Add(new() { Value = $"s{i % 4000}" });
            await command.ExecuteScalarAsync();
        }

        Program.Print("accounts.session-by-statement", Rounds / TimeProvider.System.GetElapsedTime(started).TotalSeconds, "ops/s");
    }
}
