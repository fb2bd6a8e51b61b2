using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>A server of its own, since these tests take it away.</summary>
public class OutageTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");

    [SkippableFact]
    public async Task DatabaseAway_WarmChecksGoOnSignInsRefusedNothingQueuedIsLost()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        Skip.IfNot(postgres.IsOwned, "the server of BERTH_TEST_POSTGRES must not be stopped");
        var now = TimeProvider.System.GetUtcNow();
        await using var store = new PostgresAccountStore(postgres.CreateDatabase(), TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        await store.RecordSignInAsync(SignIn("one", now), default);
        await store.RecordSignInAsync(SignIn("two", now), default);
        await store.RevokeSessionAsync("one", now.AddHours(1), default);

        postgres.Stop();
        await PostgresAccountStoreTests.Until(() => !store.Revocations.IsCurrent);

        Assert.True(store.Revocations.IsRevoked("one", Ann, 0));
        Assert.False(store.Revocations.IsRevoked("two", Ann, 0));
        await Assert.ThrowsAsync<AccountsUnavailableException>(() => store.RecordSignInAsync(SignIn("three", now), default));
        await Assert.ThrowsAsync<AccountsUnavailableException>(() => store.ListSessionsAsync(Ann, default));
        await store.RevokeSessionAsync("two", now.AddHours(1), default);
        Assert.True(store.Revocations.IsRevoked("two", Ann, 0));
        store.Audit(new() { At = now, Action = "session.revoke", Outcome = "allowed" });

        postgres.Start();
        await PostgresAccountStoreTests.Until(() => store.Revocations.IsCurrent);
        await Eventually(async () =>
        {
            await store.FlushAsync(default);
            return (await store.ListAuditAsync(new(), default)).Count == 1 && (await store.ListSessionsAsync(Ann, default)).Count == 0;
        });
        Assert.False((await store.RecordSignInAsync(SignIn("four", now), default)).Disabled);
    }

    private static SignIn SignIn(string session, DateTimeOffset at) =>
        new() { Person = Ann, SessionId = session, At = at, ExpiresAt = at.AddHours(24) };

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception error) when (error is AccountsUnavailableException or Npgsql.NpgsqlException)
            {
            }

            await Task.Delay(50, limit.Token);
        }
    }
}
