using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Kube.Runtime.Tests.LeaderElection;

public sealed class LeaderElectorTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubeClient _client = new();
    private readonly CancellationTokenSource _stop = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Run_NoLease_CreatesItAndLeads()
    {
        var (elector, led, run) = Start("one");
        var leadership = await led.Task.WaitAsync(Patience);
        Assert.True(elector.IsLeader);
        Assert.Equal(0, leadership.Epoch);
        Assert.Equal("one", (await Lease())!.Spec!.HolderIdentity);
        await _stop.CancelAsync();
        await run.WaitAsync(Patience);
    }

    [Fact]
    public async Task Run_Cancelled_EndsTheTermAndGivesTheLeaseBackForTheNext()
    {
        var (_, led, run) = Start("one");
        var leadership = await led.Task.WaitAsync(Patience);
        await _stop.CancelAsync();
        await run.WaitAsync(Patience);
        Assert.True(leadership.Token.IsCancellationRequested);
        Assert.Equal(("", 1), ((await Lease())!.Spec!.HolderIdentity, (await Lease())!.Spec!.LeaseDurationSeconds));

        using var stop = new CancellationTokenSource();
        var (_, ledNext, _) = Start("two", stop.Token);
        Assert.Equal(1, (await ledNext.Task.WaitAsync(Patience)).Epoch);
        await stop.CancelAsync();
    }

    [Fact]
    public async Task Run_HolderRenews_IsNeverReplacedHoweverWrongItsClock()
    {
        // The holder's clock is years behind: only changes of its record count.
        await Put(new LeaseSpec { HolderIdentity = "old", LeaseDurationSeconds = 15, RenewTime = _time.GetUtcNow().AddYears(-3) });
        var (elector, led, _) = Start("one");
        for (var i = 1; i < 20; i++)
        {
            await AdvanceSleep(elector, i, 4.4);
            await Put((await Lease())!.Spec! with { RenewTime = _time.GetUtcNow().AddYears(-3).AddSeconds(i) });
        }

        Assert.False(led.Task.IsCompleted);
    }

    [Fact]
    public async Task Run_HolderShowsNoSignOfLife_TakesOverAfterTheLeaseDuration()
    {
        await Put(new LeaseSpec
        {
            HolderIdentity = "dead",
            LeaseDurationSeconds = 15,
            LeaseTransitions = 3,
            RenewTime = _time.GetUtcNow().AddYears(3)
        });
        var started = _time.GetUtcNow();
        var (elector, led, _) = Start("one");
        for (var i = 1; !elector.IsLeader; i++)
        {
            await Wait.UntilAsync(() => elector.Sleeps >= i || elector.IsLeader, $"sleep {i}");
            _time.Advance(TimeSpan.FromSeconds(elector.IsLeader ? 0 : 4.4));
        }

        // 15 s without a sign of life, seen at the next try; the last sleep may have been followed by one more step of this loop.
        Assert.InRange((_time.GetUtcNow() - started).TotalSeconds, 15, 15 + (2 * 4.4));
        Assert.Equal(4, (await led.Task).Epoch);
    }

    [Fact]
    public async Task Run_RenewalHangs_EndsTheTermAtTheDeadlineWithAPendingWriteAndReports()
    {
        var (elector, led, run) = Start("one");
        var leadership = await led.Task.WaitAsync(Patience);

        // The network goes: every write hangs until its token is cancelled.
        _client.BeforeWrite = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, ct);
        var write = _client.CreateAsync(Objects.Map("child", "0"), null, leadership.Token);
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(leadership.Token.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(0.2));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.WaitAsync(Patience));
        var e = await Assert.ThrowsAsync<LeadershipLostException>(() => run.WaitAsync(Patience));
        Assert.Contains("a/l", e.Message, StringComparison.Ordinal);
        Assert.False(elector.IsLeader);
        Assert.Null(await _client.TryGetAsync<ConfigMap>("a", "child", CancellationToken.None));

        // It does not come back, and does not take the lease from whoever has it by then.
        _client.BeforeWrite = (_, _) => Task.CompletedTask;
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(elector.IsLeader);
        await Assert.ThrowsAsync<InvalidOperationException>(() => elector.RunAsync(_ => Task.CompletedTask, CancellationToken.None));
    }

    [Fact]
    public async Task Run_TakenOverByAnother_EndsTheTermAndItsStaleWriteIsRefused()
    {
        var child = await _client.CreateAsync(Objects.Map("child", "0"), null, CancellationToken.None);
        var (elector, led, run) = Start("one");
        var leadership = await led.Task.WaitAsync(Patience);

        var taken = (await Lease())!;
        await _client.ReplaceAsync(taken with { Spec = taken.Spec! with { HolderIdentity = "two", LeaseTransitions = 1 } }, null,
            CancellationToken.None);
        await _client.ReplaceAsync(child with { Data = new Dictionary<string, string> { ["by"] = "two" } }, null, CancellationToken.None);

        await AdvanceSleep(elector, 1);
        var e = await Assert.ThrowsAsync<LeadershipLostException>(() => run.WaitAsync(Patience));
        Assert.Contains("two took it over", e.Message, StringComparison.Ordinal);
        Assert.True(leadership.Token.IsCancellationRequested);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.ReplaceAsync(child, null, leadership.Token));

        // And a write that had left before it knew carries an old version.
        var refused = await Assert.ThrowsAsync<KubeException>(() => _client.ReplaceAsync(child, null, CancellationToken.None));
        Assert.True(refused.IsConflict);
        Assert.Equal("two", (await Lease())!.Spec!.HolderIdentity);
    }

    [Fact]
    public async Task Run_SlowAnswer_CountsTheDeadlineFromWhenTheRenewalWasSent()
    {
        var (elector, led, run) = Start("one");
        var leadership = await led.Task.WaitAsync(Patience);
        var answer = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        _client.BeforeWrite = async (_, ct) =>
        {
            asked.TrySetResult();
            await answer.Task.WaitAsync(ct);
        };
        await AdvanceSleep(elector, 1); // sent at 2
        await asked.Task.WaitAsync(Patience);
        _time.Advance(TimeSpan.FromSeconds(7)); // answered at 9
        _client.BeforeWrite = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, ct);
        answer.SetResult();
        await Wait.UntilAsync(() => elector.Sleeps == 2, "the next wait");
        _time.Advance(TimeSpan.FromSeconds(2.8)); // 11.8
        Assert.False(leadership.Token.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(0.4)); // 12.2, not 19
        Assert.True(leadership.Token.IsCancellationRequested);
        await Assert.ThrowsAsync<LeadershipLostException>(() => run.WaitAsync(Patience));
    }

    [Fact]
    public async Task Run_ServerErrorsForAWhile_KeepTheTerm()
    {
        var (elector, led, _) = Start("one");
        var leadership = await led.Task.WaitAsync(Patience);
        _client.BeforeWrite = (_, _) => throw FakeKubeClient.Error(500, "InternalError");
        for (var i = 1; i <= 4; i++)
        {
            await AdvanceSleep(elector, i);
        }

        await Wait.UntilAsync(() => elector.Sleeps == 5, "the fourth failure"); // at 8
        Assert.True(elector.IsLeader);
        _time.Advance(TimeSpan.FromSeconds(1.9)); // 9.9
        Assert.False(leadership.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task Run_OneFailureThenSuccess_ExtendsTheTerm()
    {
        var (elector, led, _) = Start("one");
        var leadership = await led.Task.WaitAsync(Patience);
        _client.BeforeWrite = (_, _) => throw FakeKubeClient.Error(500, "InternalError");
        await AdvanceSleep(elector, 1);
        await Wait.UntilAsync(() => elector.Sleeps == 2, "the failure");
        _client.BeforeWrite = (_, _) => Task.CompletedTask;
        for (var i = 2; i < 12; i++)
        {
            await AdvanceSleep(elector, i);
        }

        await Wait.UntilAsync(() => elector.Sleeps == 12, "the last renewal");
        Assert.True(elector.IsLeader);
        Assert.False(leadership.Token.IsCancellationRequested);
        Assert.True(elector.IsHealthy(TimeSpan.Zero));
    }

    [Fact]
    public async Task Run_WhatIsLedFails_GivesTheLeaseBackAndThrowsIt()
    {
        var elector = Create("one");
        await Assert.ThrowsAsync<FormatException>(() =>
            elector.RunAsync(_ => throw new FormatException(), CancellationToken.None).WaitAsync(Patience));
        Assert.Equal("", (await Lease())!.Spec!.HolderIdentity);
    }

    private LeaderElector Create(string identity) => new(
        _client, new LeaderElectionOptions { Namespace = "a", Name = "l", Identity = identity }, _time, NullLogger<LeaderElector>.Instance);

    private (LeaderElector Elector, TaskCompletionSource<Leadership> Led, Task Run) Start(string identity, CancellationToken? stop = null)
    {
        var elector = Create(identity);
        var led = new TaskCompletionSource<Leadership>(TaskCreationOptions.RunContinuationsAsynchronously);
        var run = elector.RunAsync(
            async leadership =>
            {
                led.SetResult(leadership);
                await Task.Delay(Timeout.InfiniteTimeSpan, leadership.Token);
            },
            stop ?? _stop.Token);
        return (elector, led, run);
    }

    private Task<Lease?> Lease() => _client.TryGetAsync<Lease>("a", "l", CancellationToken.None);

    private async Task Put(LeaseSpec spec)
    {
        var lease = await Lease();
        _ = lease is null
            ? await _client.CreateAsync(new Lease { Metadata = new ObjectMeta { Namespace = "a", Name = "l" }, Spec = spec }, null,
                CancellationToken.None)
            : await _client.ReplaceAsync(lease with { Spec = spec }, null, CancellationToken.None);
    }

    /// <summary>Waits until the elector sleeps for the given time and moves on past the end of that sleep.</summary>
    private async Task AdvanceSleep(LeaderElector elector, int sleep, double seconds = 2)
    {
        await Wait.UntilAsync(() => elector.Sleeps >= sleep, $"sleep {sleep}");
        _time.Advance(TimeSpan.FromSeconds(seconds));
    }
}
