using System.Diagnostics.Metrics;
using Testing;

namespace Kube.Runtime.Tests.Queueing;

public sealed class WorkQueueTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue<string> _queue;

    public WorkQueueTests() => _queue = new WorkQueue<string>("test", _time);

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task Add_ManyTimesWhileQueued_MakesOneRun()
    {
        _queue.Add("a");
        _queue.Add("b");
        _queue.Add("a");

        Assert.Equal(["a", "b"], [await Take(), await Take()]);
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task Add_ManyTimesWhileProcessing_MakesExactlyOneMoreRunAfterDone()
    {
        _queue.Add("a");
        await Take();
        _queue.Add("a");
        _queue.Add("a");
        Assert.Equal(0, _queue.Count);

        _queue.Done("a");
        Assert.Equal(1, _queue.Count);
        Assert.Equal("a", await Take());
        _queue.Done("a");
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task GetAsync_OnEmptyQueue_WaitsForAdd()
    {
        var get = _queue.GetAsync(CancellationToken.None).AsTask();
        Assert.False(get.IsCompleted);
        _queue.Add("a");
        Assert.Equal("a", (await get.WaitAsync(TimeSpan.FromSeconds(30))).Key);
    }

    [Fact]
    public async Task GetAsync_Cancelled_DoesNotLoseTheNextKey()
    {
        using var cancelled = new CancellationTokenSource();
        var get = _queue.GetAsync(cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
        _queue.Add("a");
        Assert.Equal("a", await Take());
    }

    [Fact]
    public async Task GetAsync_ManyWorkers_NeverGiveOneKeyToTwo()
    {
        var running = new HashSet<string>();
        var runs = 0;
        var workers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (await _queue.GetAsync(CancellationToken.None) is { HasKey: true, Key: var key })
            {
                lock (running)
                {
                    Assert.True(running.Add(key), $"{key} was with two workers");
                    runs++;
                }

                await Task.Yield();
                lock (running)
                {
                    running.Remove(key);
                }

                _queue.Done(key);
            }
        })).ToArray();
        for (var i = 0; i < 20_000; i++)
        {
            _queue.Add("k" + (i % 7));
        }

        await _queue.ShutDownWithDrainAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        await Task.WhenAll(workers).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.InRange(runs, 7, 20_000);
    }

    [Fact]
    public async Task AddAfter_TwoDelaysForOneKey_EarliestWinsAndRunsOnce()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(10));
        _queue.AddAfter("a", TimeSpan.FromSeconds(3));
        _queue.AddAfter("a", TimeSpan.FromSeconds(20));

        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Equal(0, _queue.Count);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("a", await Take());
        _queue.Done("a");
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task AddAfter_SeveralKeys_ComeInTheOrderOfTheirTimes()
    {
        _queue.AddAfter("late", TimeSpan.FromSeconds(2));
        _queue.AddAfter("early", TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["early", "late"], [await Take(), await Take()]);
    }

    [Fact]
    public void AddAfter_LongerThanATimerCanWait_Waits()
    {
        _queue.AddAfter("a", TimeSpan.FromDays(100));
        _time.Advance(TimeSpan.FromDays(99));
        Assert.Equal(0, _queue.Count);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, _queue.Count);
    }

    [Fact]
    public async Task AddRateLimited_Failures_DoubleTheDelayUntilForgotten()
    {
        foreach (var milliseconds in new[] { 5, 10, 20, 40 })
        {
            _queue.AddRateLimited("a");
            _time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
            Assert.Equal(0, _queue.Count);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(1, _queue.Count);
            Assert.Equal("a", await Take());
            _queue.Done("a");
        }

        Assert.Equal(4, _queue.Failures("a"));
        _queue.Forget("a");
        _queue.AddRateLimited("a");
        _time.Advance(TimeSpan.FromMilliseconds(5));
        Assert.Equal(1, _queue.Count);
    }

    [Fact]
    public async Task AddRateLimited_WithLongerWish_WaitsForTheWish()
    {
        _queue.AddRateLimited("a", TimeSpan.FromSeconds(7));
        _time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.Equal(0, _queue.Count);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("a", await Take());
    }

    [Fact]
    public async Task ShutDown_RefusesAddsAndLetsGetDrain()
    {
        _queue.Add("a");
        _queue.AddAfter("delayed", TimeSpan.FromSeconds(1));
        _queue.ShutDown();
        _queue.Add("b");
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("a", await Take());
        Assert.False((await _queue.GetAsync(CancellationToken.None)).HasKey);
        Assert.False((await _queue.GetAsync(CancellationToken.None)).HasKey);
    }

    [Fact]
    public async Task ShutDown_WithManyWaitingWorkers_WakesThemAll()
    {
        var gets = Enumerable.Range(0, 10).Select(_ => _queue.GetAsync(CancellationToken.None).AsTask()).ToArray();
        _queue.ShutDown();
        var items = await Task.WhenAll(gets).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.All(items, item => Assert.False(item.HasKey));
    }

    [Fact]
    public async Task ShutDownWithDrain_WaitsForProcessingAndForWhatBecameDirtyMeanwhile()
    {
        _queue.Add("a");
        await Take();
        _queue.Add("a");
        var drained = _queue.ShutDownWithDrainAsync(CancellationToken.None);
        _queue.Done("a");
        Assert.False(drained.IsCompleted);
        Assert.Equal("a", await Take());
        Assert.False(drained.IsCompleted);
        _queue.Done("a");
        await drained.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Metrics_AfterWork_CountAddsAndDepthAndTimes()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == RuntimeMeter.Name)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.ToArray().Contains(new("name", "metered")))
            {
                seen[instrument.Name] = seen.GetValueOrDefault(instrument.Name) + value;
            }
        }

        listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Note(i, v, tags));
        listener.SetMeasurementEventCallback<int>((i, v, tags, _) => Note(i, v, tags));
        listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Note(i, v, tags));
        listener.Start();

        using var queue = new WorkQueue<string>("metered", _time);
        queue.Add("a");
        queue.Add("b");
        _time.Advance(TimeSpan.FromSeconds(3));
        await queue.GetAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(2));
        listener.RecordObservableInstruments();
        queue.Done("a");

        Assert.Equal(2, seen["workqueue_adds_total"]);
        Assert.Equal(1, seen["workqueue_depth"]);
        Assert.Equal(3, seen["workqueue_queue_duration_seconds"]);
        Assert.Equal(2, seen["workqueue_unfinished_work_seconds"]);
        Assert.Equal(2, seen["workqueue_work_duration_seconds"]);
    }

    private async Task<string> Take() => (await _queue.GetAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30))).Key;
}
