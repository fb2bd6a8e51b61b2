using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Fakes;
using Testing;
using static Kube.Runtime.Tests.Fakes.Objects;

namespace Kube.Runtime.Tests.Watching;

public sealed class WatcherTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubeClient _client = new();
    private readonly CancellationTokenSource _stop = new();
    private IAsyncEnumerator<WatcherEvent<ConfigMap>>? _events;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_events is not null)
        {
            await _events.DisposeAsync();
        }

        _stop.Dispose();
    }

    [Fact]
    public async Task RunAsync_ListInPages_SendsVersionOnceAndThenTheToken()
    {
        Start(new());
        _client.AnswerList("7", "t1", Map("x", "3"));
        _client.AnswerList("7", null, Map("y", "5"));
        Assert.Equal(["Init", "InitApply x", "InitApply y", "InitDone 7"], await Take(4));
        Assert.Equal(("LIST", "0", null), await Asked());
        Assert.Equal(("LIST", null, "t1"), await Asked());
    }

    [Fact]
    public async Task RunAsync_Watch_ContinuesFromListAndFromBookmarks()
    {
        Start(new());
        _client.AnswerList<ConfigMap>("7", null);
        var first = _client.AnswerWatch<ConfigMap>();
        _client.AnswerWatch<ConfigMap>();
        await first.WriteAsync(Bookmark("50"));
        first.Complete();
        Assert.Equal(["Init", "InitDone 7", "Progress 50"], await Take(3));
        var next = Next();
        Assert.Equal(["LIST 0", "WATCH 7", "WATCH 50"], [await AskedText(), await AskedText(), await AskedText()]);
        Assert.False(next.IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_410OnWatch_ListsAnewNotOlder(bool asHttp)
    {
        Start(new());
        _client.AnswerList("7", null, Map("x", "3"));
        if (asHttp)
        {
            _client.AnswerError(FakeKubeClient.Gone);
        }
        else
        {
            var watch = _client.AnswerWatch<ConfigMap>();
            await watch.WriteAsync(Modified(Map("x", "9")));
            watch.Complete(FakeKubeClient.Gone);
        }

        _client.AnswerList<ConfigMap>("20", null);
        var events = await Take(asHttp ? 6 : 7);
        Assert.Equal(["Failed", "Init", "InitDone 20"], events.TakeLast(3));
        Assert.Equal(["LIST 0", "WATCH 7", asHttp ? "LIST 7" : "LIST 9"], [await AskedText(), await AskedText(), await AskedText()]);
    }

    [Fact]
    public async Task RunAsync_410InTheMiddleOfWatchList_BeginsAFreshPictureByQuorum()
    {
        Start(new() { StreamInitialList = true });
        var broken = _client.AnswerWatch<ConfigMap>();
        await broken.WriteAsync(Added(Map("gone", "3")));
        broken.Complete(FakeKubeClient.Gone);
        var good = _client.AnswerWatch<ConfigMap>();
        await good.WriteAsync(Added(Map("x", "4")));
        await good.WriteAsync(Bookmark("30", end: true));
        await good.WriteAsync(Modified(Map("x", "31")));
        Assert.Equal(["Init", "InitApply gone", "Failed", "Init", "InitApply x", "InitDone 30", "Apply x 31"], await Take(7));
        Assert.Equal(["WATCHLIST 0", "WATCHLIST "], [await AskedText(), await AskedText()]);
    }

    [Fact]
    public async Task RunAsync_ServerRefusesWatchList_FallsBackToList()
    {
        Start(new() { StreamInitialList = true });
        _client.AnswerError(FakeKubeClient.Error(422, "Invalid", "sendInitialEvents is forbidden"));
        _client.AnswerList("7", null, Map("x", "3"));
        Assert.Equal(["Init", "Init", "InitApply x", "InitDone 7"], await Take(4));
        Assert.Equal(["WATCHLIST 0", "LIST 0"], [await AskedText(), await AskedText()]);
    }

    [Fact]
    public async Task RunAsync_ServerIgnoresWatchList_FallsBackToListWhenTheWatchEnds()
    {
        Start(new() { StreamInitialList = true });
        var watch = _client.AnswerWatch<ConfigMap>();
        await watch.WriteAsync(Added(Map("x", "3")));
        watch.Complete();
        _client.AnswerList("7", null, Map("x", "3"));
        Assert.Equal(["Init", "InitApply x", "Failed", "Init", "InitApply x", "InitDone 7"], await Take(6));
    }

    [Fact]
    public async Task RunAsync_VersionTooLargeOnList_AsksForTheNewestAtOnce()
    {
        Start(new());
        _client.AnswerError(FakeKubeClient.Error(504, "Timeout", "Too large resource version: 9, current: 3"));
        _client.AnswerList<ConfigMap>("3", null);
        Assert.Equal(["Init", "Init", "InitDone 3"], await Take(3));
        Assert.Equal(["LIST 0", "LIST "], [await AskedText(), await AskedText()]);
    }

    [Fact]
    public async Task RunAsync_WatchEndsAtOnceWithNothing_IsAFailure()
    {
        Start(new());
        _client.AnswerList<ConfigMap>("7", null);
        _client.AnswerWatch<ConfigMap>().Complete();
        Assert.Equal(["Init", "InitDone 7", "Failed"], await Take(3));
    }

    [Fact]
    public async Task RunAsync_WatchEndsAfterAWhileWithNothing_IsNormal()
    {
        Start(new());
        _client.AnswerList<ConfigMap>("7", null);
        var quiet = _client.AnswerWatch<ConfigMap>();
        var next = _client.AnswerWatch<ConfigMap>();
        await Take(2);
        var waiting = Next();
        await AskedText();
        await AskedText();
        _time.Advance(TimeSpan.FromSeconds(290));
        quiet.Complete();
        await next.WriteAsync(Added(Map("x", "8")));
        Assert.Equal("Apply x 8", await waiting);
    }

    [Fact]
    public async Task WithBackoff_Failures_WaitLongerEachTimeAndNoMoreThanTheCap()
    {
        for (var i = 0; i < 10; i++)
        {
            _client.AnswerError(FakeKubeClient.Error(500, "InternalError"));
        }

        Start(new(), new BackoffOptions { Jitter = 0 });
        Assert.Equal(["Init", "Failed"], await Take(2));
        foreach (var seconds in new[] { 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30 })
        {
            var next = Next();
            await Wait.UntilAsync(() => _time.ArmedTimers == 1, "the wait after a failure");
            _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.False(next.IsCompleted);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal("Failed", await next.WaitAsync(TimeSpan.FromSeconds(30)));
        }
    }

    [Fact]
    public void Backoff_LongHealthyTime_StartsAnew()
    {
        var backoff = new Backoff(new BackoffOptions(), _time, () => 0);
        backoff.Next();
        backoff.Next();
        Assert.Equal(TimeSpan.FromSeconds(3.2), backoff.Next());
        _time.Advance(TimeSpan.FromSeconds(3.2 + 119));
        Assert.Equal(TimeSpan.FromSeconds(6.4), backoff.Next());
        _time.Advance(TimeSpan.FromSeconds(6.4 + 120));
        Assert.Equal(TimeSpan.FromSeconds(0.8), backoff.Next());
    }

    [Fact]
    public void Backoff_Jitter_AtMostDoublesTheWait()
    {
        Assert.Equal(TimeSpan.FromSeconds(1.2), new Backoff(new BackoffOptions(), _time, () => 0.5).Next());
    }

    private void Start(WatcherOptions options, BackoffOptions? backoff = null)
    {
        var events = new Watcher<ConfigMap>(_client, options, _time).RunAsync(_stop.Token);
        _events = (backoff is null ? events : events.WithBackoff(backoff, _time, _stop.Token)).GetAsyncEnumerator(_stop.Token);
    }

    private async Task<string> Next()
    {
        Assert.True(await _events!.MoveNextAsync());
        var e = _events.Current;
        return string.Join(' ', new[] { e.Kind.ToString(), e.Resource?.Metadata.Name, e.ResourceVersion }.Where(p => p is not null));
    }

    private async Task<List<string>> Take(int count)
    {
        List<string> all = [];
        while (all.Count < count)
        {
            all.Add(await Next().WaitAsync(TimeSpan.FromSeconds(30)));
        }

        return all;
    }

    private async Task<(string Verb, string? Version, string? Continue)> Asked()
    {
        var request = await _client.NextRequestAsync();
        return (request.Verb, request.Version, request.Continue);
    }

    private async Task<string> AskedText()
    {
        var request = await _client.NextRequestAsync();
        return $"{request.Verb} {request.Version}";
    }
}
