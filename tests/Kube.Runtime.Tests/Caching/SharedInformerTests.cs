using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;
using static Kube.Runtime.Tests.Fakes.Objects;

namespace Kube.Runtime.Tests.Caching;

public sealed class SharedInformerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubeClient _client = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _run = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.WaitAsync(TimeSpan.FromSeconds(30));
        _stop.Dispose();
    }

    // What a server's end does to a watch at the moment at which the program ends too.
    [Fact]
    public async Task RunAsync_ConnectionBreaksWhileItIsCancelled_EndsInOrder()
    {
        _client.AnswerList<ConfigMap>("7", null);
        using var informer = new SharedInformer<ConfigMap>(
            new BreakingAtTheEnd(_client), new InformerOptions<ConfigMap>(), _time, NullLoggerFactory.Instance);
        _run = informer.RunAsync(_stop.Token);
        await informer.WaitForSyncAsync(default);

        await _stop.CancelAsync();

        await _run.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(_run.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Run_DeletionWhileDisconnected_IsDeliveredWithFinalStateUnknown()
    {
        using var informer = Create();
        var seen = Record(informer);
        _client.AnswerList("7", null, Map("stays", "3"), Map("goes", "4"));
        _client.AnswerError(FakeKubeClient.Gone);
        Start(informer);
        await Expect(seen, "Added stays initial", "Added goes initial");

        await FailureWaited();
        _client.AnswerList("20", null, Map("stays", "3"), Map("new", "15"));
        await Expect(seen, "Added new", "Deleted goes unknown");
        Assert.Equal(2, informer.Store.Count);
        Assert.Equal("20", informer.LastResourceVersion);
    }

    [Fact]
    public async Task Run_DeletedAndCreatedAnewWhileDisconnected_AreTwoObjects()
    {
        using var informer = Create();
        var seen = Record(informer);
        _client.AnswerList("7", null, Map("x", "3", uid: "one"));
        _client.AnswerError(FakeKubeClient.Gone);
        Start(informer);
        await FailureWaited();
        _client.AnswerList("20", null, Map("x", "15", uid: "two"));
        await Expect(seen, "Added x initial", "Deleted x unknown", "Added x");
    }

    [Fact]
    public async Task Run_WatchEvents_ChangeTheStoreBeforeHandlersHear()
    {
        using var informer = Create();
        var states = Channel.CreateUnbounded<(string Event, string? InStore)>();
        informer.AddHandler(e =>
            states.Writer.TryWrite(
            ($"{e.Kind} {e.Old?.Metadata.ResourceVersion}", informer.Store.Get(e.Resource.Key())?.Metadata.ResourceVersion)));
        _client.AnswerList<ConfigMap>("7", null);
        var watch = _client.AnswerWatch<ConfigMap>();
        Start(informer);
        await watch.WriteAsync(Added(Map("x", "8")));
        Assert.Equal(("Added ", "8"), await Next(states));
        await watch.WriteAsync(Modified(Map("x", "9")));
        Assert.Equal(("Updated 8", "9"), await Next(states));
        await watch.WriteAsync(Deleted(Map("x", "10")));
        Assert.Equal(("Deleted ", null), await Next(states));
        Assert.Equal("10", informer.LastResourceVersion);
    }

    [Fact]
    public async Task Run_OnlyBookmarks_MoveTheVersion()
    {
        using var informer = Create();
        _client.AnswerList<ConfigMap>("7", null);
        var watch = _client.AnswerWatch<ConfigMap>();
        Start(informer);
        await watch.WriteAsync(Bookmark("90"));
        await Wait.UntilAsync(() => informer.LastResourceVersion == "90", "progress by bookmark");
    }

    // Who must not act on old news asks when there was the last news, not how open the connection looks.
    [Fact]
    public async Task LastContact_EventsBookmarksAndFailures_SaysWhenTheServerLastSpoke()
    {
        using var informer = Create();
        Assert.Null(informer.LastContact);
        _client.AnswerList<ConfigMap>("7", null);
        var watch = _client.AnswerWatch<ConfigMap>();
        Start(informer);
        await informer.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(_time.GetUtcNow(), informer.LastContact);

        _time.Advance(TimeSpan.FromSeconds(60));
        var bookmarked = _time.GetUtcNow();
        await watch.WriteAsync(Bookmark("7"));
        await Wait.UntilAsync(() => informer.LastContact == bookmarked, "contact by a bookmark");
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(bookmarked, informer.LastContact);

        watch.Complete(new IOException("The connection was reset."));
        await Wait.UntilAsync(() => informer.LastContact is null, "no contact after a failure");
    }

    [Fact]
    public async Task AddHandler_Late_GetsEverythingFirstAndThenSyncs()
    {
        using var informer = Create();
        _client.AnswerList("7", null, Map("x", "3"));
        Start(informer);
        await informer.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

        var blocked = new TaskCompletionSource();
        var seen = new List<string>();
        var handler = informer.AddHandler(async (e, _) =>
        {
            await blocked.Task;
            seen.Add(e.Resource.Metadata.Name!);
        });
        Assert.False(handler.HasSynced);
        blocked.SetResult();
        await handler.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(["x"], seen);
    }

    [Fact]
    public async Task Run_SlowHandler_DelaysNeitherWatchNorOthers()
    {
        using var informer = Create();
        var never = new TaskCompletionSource();
        informer.AddHandler(async (_, ct) => await never.Task.WaitAsync(ct));
        var seen = Record(informer);
        _client.AnswerList("7", null, Map("x", "3"));
        var watch = _client.AnswerWatch<ConfigMap>();
        Start(informer);
        for (var i = 8; i < 3000; i++)
        {
            await watch.WriteAsync(Modified(Map("x", i.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        }

        await Wait.UntilAsync(() => informer.LastResourceVersion == "2999", "all events");
        await Expect(seen, "Added x initial", "Updated x");
    }

    [Fact]
    public async Task Run_HandlerThatThrows_StillGetsTheNext()
    {
        using var informer = Create();
        var seen = Channel.CreateUnbounded<string>();
        informer.AddHandler(e =>
        {
            seen.Writer.TryWrite(e.Resource.Metadata.Name!);
            throw new InvalidOperationException("a defect");
        });
        _client.AnswerList("7", null, Map("x", "3"), Map("y", "4"));
        Start(informer);
        Assert.Equal("x", await Next(seen));
        Assert.Equal("y", await Next(seen));
    }

    [Fact]
    public async Task Run_Resync_ReplaysTheStoreWithoutAskingTheServer()
    {
        using var informer = Create(new() { ResyncInterval = TimeSpan.FromMinutes(1) });
        var seen = Record(informer);
        _client.AnswerList("7", null, Map("x", "3"));
        _client.AnswerWatch<ConfigMap>();
        Start(informer);
        await Expect(seen, "Added x initial");
        _time.Advance(TimeSpan.FromMinutes(1));
        await Expect(seen, "Updated x resync");
    }

    [Fact]
    public async Task Run_Transform_IsAppliedBeforeStoring()
    {
        using var informer = Create(new() { Transform = m => m with { Data = null } });
        _client.AnswerList("7", null, Map("x", "3", value: "big"));
        Start(informer);
        await informer.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        var stored = informer.Store.Get(new ResourceKey("a", "x"))!;
        Assert.Null(stored.Data);
        Assert.Equal("3", stored.Metadata.ResourceVersion);
    }

    [Fact]
    public async Task Dispose_Handler_StopsItsEvents()
    {
        using var informer = Create();
        var seen = Record(informer);
        var gone = Channel.CreateUnbounded<string>();
        var handler = informer.AddHandler(e => gone.Writer.TryWrite(e.Resource.Metadata.Name!));
        _client.AnswerList("7", null, Map("x", "3"));
        var watch = _client.AnswerWatch<ConfigMap>();
        Start(informer);
        await handler.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        handler.Dispose();
        await watch.WriteAsync(Added(Map("y", "8")));
        await Expect(seen, "Added x initial", "Added y");
        Assert.Equal(1, gone.Reader.Count);
    }

    [Fact]
    public async Task Factory_SameKindAndSelection_SharesOneWatch()
    {
        using var factory = new InformerFactory(_client, _time, NullLoggerFactory.Instance);
        var one = factory.Get<ConfigMap>();
        _client.AnswerList("7", null, Map("x", "3"));
        _run = factory.RunAsync(_stop.Token);
        var two = factory.Get(
            new InformerOptions<ConfigMap>
            {
                Indexers = new Dictionary<string, Func<ConfigMap,
            IEnumerable<string>>>
                { ["n"] = m => [m.Metadata.Name!] }
            });
        Assert.Same(one, two);
        Assert.NotSame(one, factory.Get(new InformerOptions<ConfigMap> { Watcher = new() { Namespace = "b" } }));
        await one.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Single(two.Store.ByIndex("n", "x"));
    }

    [Fact]
    public async Task Factory_InformerWithADefect_EndsTheRunInsteadOfStandingStill()
    {
        using var factory = new InformerFactory(_client, _time, NullLoggerFactory.Instance);
        factory.Get(new InformerOptions<ConfigMap>
        {
            Indexers = new Dictionary<string, Func<ConfigMap, IEnumerable<string>>> { ["bad"] = _ => throw new FormatException() },
        });
        _client.AnswerList("7", null, Map("x", "3"));
        await Assert.ThrowsAsync<FormatException>(() => factory.RunAsync(_stop.Token).WaitAsync(TimeSpan.FromSeconds(30)));
    }

    private SharedInformer<ConfigMap> Create(InformerOptions<ConfigMap>? options = null) =>
        new(_client, (options ?? new()) with { Backoff = new BackoffOptions { Jitter = 0 } }, _time, NullLoggerFactory.Instance);

    private void Start(SharedInformer<ConfigMap> informer) => _run = informer.RunAsync(_stop.Token);

    private async Task FailureWaited()
    {
        await Wait.UntilAsync(() => _time.ArmedTimers > 0, "the wait after a failure");
        _time.Advance(TimeSpan.FromSeconds(1));
    }

    private static Channel<string> Record(SharedInformer<ConfigMap> informer)
    {
        var seen = Channel.CreateUnbounded<string>();
        informer.AddHandler(e => seen.Writer.TryWrite(
            $"{e.Kind} {e.Resource.Metadata.Name}" + (e.IsInitial ? " initial" : "") + (e.FinalStateUnknown ? " unknown" : "") + (e.IsResync
                ? " resync" : "")));
        return seen;
    }

    private static async Task<TItem> Next<TItem>(Channel<TItem> channel)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await channel.Reader.ReadAsync(timeout.Token);
    }

    private static async Task Expect(Channel<string> seen, params string[] expected)
    {
        List<string> got = [];
        while (got.Count < expected.Length)
        {
            got.Add(await Next(seen));
        }

        // Objects of one picture come in no order.
        Assert.Equal(expected.Order(), got.Order());
    }

    private sealed class BreakingAtTheEnd(IKubeClient inner) : DelegatingKubeClient(inner)
    {
        public override async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
            string? ns, WatchOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = cancellationToken.Register(cancelled.SetResult);
            await cancelled.Task;
            ThrowIfAsked();
            yield break;
        }

        private static void ThrowIfAsked() => throw new IOException("The connection was reset.");
    }
}
