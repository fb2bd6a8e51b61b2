using System.Diagnostics.Metrics;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>What the metrics say of a database that is away. Meters belong to the process: each test reads its own store's label.</summary>
public class AccountsMetricsTests
{
    [Fact]
    public async Task Circuit_DatabaseAway_OpensIsCounted_AndClosesWithTheFirstSuccess()
    {
        var store = $"test-{Guid.NewGuid():N}";
        using var metrics = new AccountsMetrics(store);
        var clock = new FakeTimeProvider();
        var resilience = new AccountsResilience(clock, metrics);
        Assert.Equal((0, 0), (Read(store, "berth.accounts.circuit.open"), Read(store, "berth.accounts.unavailable")));

        for (var i = 0; i < 8; i++)
        {
            var failing = resilience.RunAsync<int>(_ => throw new NpgsqlException("away"), default);
            await AdvanceUntilAsync(clock, failing);
        }

        Assert.Equal(1, Read(store, "berth.accounts.circuit.open"));
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(1, await resilience.RunAsync(_ => ValueTask.FromResult(1), default));
        Assert.Equal(0, Read(store, "berth.accounts.circuit.open"));
    }

    [Fact]
    public async Task Unavailable_EachOperationThatIsGivenUp_CountsOnce()
    {
        var store = $"test-{Guid.NewGuid():N}";
        using var metrics = new AccountsMetrics(store);
        var clock = new FakeTimeProvider();
        var resilience = new AccountsResilience(clock, metrics);

        await AdvanceUntilAsync(clock, resilience.RunAsync<int>(_ => throw new NpgsqlException("away"), default));
        await resilience.RunAsync(_ => ValueTask.FromResult(1), default);

        Assert.Equal(1, Read(store, "berth.accounts.unavailable"));
    }

    // The retries wait by the clock of the test.
    private static async Task AdvanceUntilAsync(FakeTimeProvider clock, Task<int> operation)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!operation.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        await Assert.ThrowsAsync<AccountsUnavailableException>(() => operation);
    }

    private static long Read(string store, string instrument)
    {
        var read = 0L;
        using var listener = Listener(store, instrument, value => read = value);
        listener.RecordObservableInstruments();
        return read;
    }

    private static MeterListener Listener(string store, string instrument, Action<long> seen)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (published, self) =>
            {
                if (published.Meter.Name == "Berth.Accounts" && published.Name == instrument)
                {
                    self.EnableMeasurementEvents(published);
                }
            },
        };
        void See(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.Length == 1 && Equals(tags[0].Value, store))
            {
                seen(value);
            }
        }

        listener.SetMeasurementEventCallback<int>((_, value, tags, _) => See(value, tags));
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => See(value, tags));
        listener.Start();
        return listener;
    }
}
