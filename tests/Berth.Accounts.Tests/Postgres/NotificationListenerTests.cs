using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>The loop that both listeners run: what was missed is made up for before anything counts as current.</summary>
public class NotificationListenerTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private readonly ConcurrentQueue<string> _events = [];

    [SkippableFact]
    public async Task Connection_Lost_EverythingIsReadAgainBeforeItIsCurrent()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        await using var source = NpgsqlDataSource.Create(postgres.CreateDatabase());
        await using var listener = Listen(source, (_, _) => Task.CompletedTask);
        await listener.StartAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await NotifyAsync(source, "one");
        await UntilAsync("notice one");

        await ExecuteAsync(source, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'berth-test'");
        await UntilAsync("catch up 2", "current True");
        await NotifyAsync(source, "two");
        await UntilAsync("notice two");

        string[] expected = ["catch up 1", "current True", "notice one", "current False", "catch up 2", "current True", "notice two"];
        Assert.Equal(expected, _events.Take(expected.Length));
    }

    [SkippableFact]
    public async Task CatchUp_Fails_IsNotCurrentUntilItWorks()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        await using var source = NpgsqlDataSource.Create(postgres.CreateDatabase());
        var calls = 0;
        await using var listener = Listen(
            source, (_, _) => Interlocked.Increment(ref calls) < 3 ? throw new InvalidOperationException("no") : Task.CompletedTask);

        await listener.StartAsync().WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(
            ["catch up 1", "current False", "catch up 2", "current False", "catch up 3", "current True"], _events);
    }

    [SkippableFact]
    public async Task Notice_DuringCatchUp_IsNotMissed()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        await using var source = NpgsqlDataSource.Create(postgres.CreateDatabase());
        await using var listener = Listen(source, (_, _) => NotifyAsync(source, "between"));

        await listener.StartAsync().WaitAsync(TimeSpan.FromSeconds(30));

        await UntilAsync("notice between");
    }

    [SkippableFact]
    public async Task Dispose_WhileTheServerIsAway_EndsAtOnce()
    {
        await using var listener = new NotificationListener(
            "Host=127.0.0.1;Port=1;Username=x;Timeout=1;Pooling=false", "berth_test", (_, _) => Task.CompletedTask, _ => { },
            current => _events.Enqueue($"current {current}"), TimeProvider.System, NullLogger.Instance);
        var first = listener.StartAsync();
        await UntilAsync("current False");

        await listener.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    private NotificationListener Listen(NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task> catchUp)
    {
        var calls = 0;
        return new NotificationListener(
            NotificationListener.ConnectionString(new NpgsqlConnectionStringBuilder(source.ConnectionString), "berth-test"), "berth_test",
            (connection, cancellationToken) =>
            {
                _events.Enqueue($"catch up {++calls}");
                return catchUp(connection, cancellationToken);
            },
            payload => _events.Enqueue($"notice {payload}"), current => _events.Enqueue($"current {current}"), TimeProvider.System,
            NullLogger.Instance);
    }

    private static Task NotifyAsync(NpgsqlDataSource source, string text) => ExecuteAsync(source, $"NOTIFY berth_test, '{text}'");

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    // Until the last events are these, with whatever between.
    private Task UntilAsync(params string[] wanted) => Vault.Wait.UntilAsync(() =>
    {
        var found = 0;
        foreach (var told in _events)
        {
            found += found < wanted.Length && told == wanted[found] ? 1 : 0;
        }

        return found == wanted.Length;
    });
}
