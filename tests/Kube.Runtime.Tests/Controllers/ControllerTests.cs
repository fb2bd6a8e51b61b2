using System.Collections.Concurrent;
using System.Threading.Channels;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Fakes;
using Microsoft.Extensions.Logging;
using Testing;
using static Kube.Runtime.Tests.Fakes.Objects;

namespace Kube.Runtime.Tests.Controllers;

public sealed class ControllerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubeClient _client = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly RecordingLoggers _logs = new();
    private readonly Channel<ResourceKey> _reconciled = Channel.CreateUnbounded<ResourceKey>();
    private readonly InformerFactory _informers;
    private readonly List<Task> _running = [];

    public ControllerTests() => _informers = new InformerFactory(_client, _time, _logs);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromSeconds(30));
        _informers.Dispose();
        _logs.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Run_InitialObjects_AreReconciled()
    {
        _client.AnswerList("7", null, Map("x", "3"), Map("y", "4"));
        Run(new ControllerBuilder<ConfigMap>(_informers), Note);
        Assert.Equal(["x", "y"], new[] { await Next(), await Next() }.Order());
    }

    [Fact]
    public async Task Run_OwnedChildChanges_ReconcilesTheOwnerAndNobodyElse()
    {
        var owner = Map("owner", "3");
        _client.AnswerList("7", null, owner);
        var stranger = OwnedPod("stranger", "6", new Pod { Metadata = new ObjectMeta { Name = "owner", Uid = "other" } });
        _client.AnswerList("8", null, stranger);
        var builder = new ControllerBuilder<ConfigMap>(_informers).Owns<Pod>();
        var watch = _client.AnswerWatch<Pod>();
        Run(builder, Note);
        Assert.Equal("owner", await Next());

        await watch.WriteAsync(Added(OwnedPod("child", "9", owner)));
        Assert.Equal("owner", await Next());
        await watch.WriteAsync(Deleted(OwnedPod("child", "10", owner)));
        Assert.Equal("owner", await Next());
        Assert.Equal(0, _reconciled.Reader.Count);
    }

    [Fact]
    public async Task Run_BeforeEverythingIsSynced_StartsNoWorker()
    {
        _client.AnswerList("7", null, Map("x", "3"));
        var maps = _informers.Get<ConfigMap>();
        var builder = new ControllerBuilder<ConfigMap>(_informers).Watches<Pod>(_ => []);
        Run(builder, Note);
        await maps.AddHandler(_ => { }).WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.DoesNotContain(_logs.Entries, e => e.Text.Contains("starts with", StringComparison.Ordinal));
        Assert.Equal(0, _reconciled.Reader.Count);

        _client.AnswerList<Pod>("8", null);
        Assert.Equal("x", await Next());
    }

    [Fact]
    public async Task Run_StoreNeverSyncs_FailsNamingTheKind()
    {
        var controller = new ControllerBuilder<ConfigMap>(_informers).Build(Note);
        _running.Add(_informers.RunAsync(_stop.Token));
        var run = controller.RunAsync(_stop.Token);
        await Wait.UntilAsync(() => _time.ArmedTimers > 0, "the time-out");
        _time.Advance(TimeSpan.FromMinutes(2));
        var e = await Assert.ThrowsAsync<TimeoutException>(() => run.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("configmaps", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconcile_Throws_IsLoggedOnceWithIdAndTriedAgainLater()
    {
        var attempts = 0;
        _client.AnswerList("7", null, Map("x", "3"));
        Run(new ControllerBuilder<ConfigMap>(_informers), (key, _) =>
        {
            _reconciled.Writer.TryWrite(key);
            return ++attempts < 3 ? throw new InvalidOperationException("a defect") : Task.FromResult(ReconcileResult.Done);
        });
        await Next();
        await AfterDelay(TimeSpan.FromMilliseconds(5));
        await Next();
        await AfterDelay(TimeSpan.FromMilliseconds(10));
        await Next();
        await Wait.UntilAsync(() => _logs.Entries.Any(e => e.Text.StartsWith("Reconciled", StringComparison.Ordinal)), "success");
        var errors = _logs.Entries.Where(e => e.Level == LogLevel.Error).ToList();
        Assert.Equal(2, errors.Count);
        Assert.All(errors, e => Assert.Contains("reconcileID:", e.Scope, StringComparison.Ordinal));
        Assert.Contains("name:x", errors[0].Scope, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconcile_TerminalError_IsNotTriedAgainUntilTheObjectChanges()
    {
        _client.AnswerList("7", null, Map("x", "3"));
        var watch = _client.AnswerWatch<ConfigMap>();
        Run(new ControllerBuilder<ConfigMap>(_informers), (key, _) =>
        {
            _reconciled.Writer.TryWrite(key);
            throw new TerminalException("the template is broken");
        });
        await Next();
        await Wait.UntilAsync(() => _logs.Entries.Any(e => e.Level == LogLevel.Error), "the log line");
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, _reconciled.Reader.Count);
        await watch.WriteAsync(Modified(Map("x", "8")));
        Assert.Equal("x", await Next());
    }

    [Fact]
    public async Task Reconcile_Conflict_IsTriedAgainWithoutAnErrorLine()
    {
        var attempts = 0;
        _client.AnswerList("7", null, Map("x", "3"));
        Run(new ControllerBuilder<ConfigMap>(_informers), (key, _) =>
        {
            _reconciled.Writer.TryWrite(key);
            return ++attempts == 1 ? throw FakeKubeClient.Error(409, "Conflict") : Task.FromResult(ReconcileResult.Done);
        });
        await Next();
        await AfterDelay(TimeSpan.FromMilliseconds(5));
        await Next();
        Assert.DoesNotContain(_logs.Entries, e => e.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Reconcile_RequeueAfter_RunsThenAndNotBefore()
    {
        _client.AnswerList("7", null, Map("x", "3"));
        Run(new ControllerBuilder<ConfigMap>(_informers), (key, _) =>
        {
            _reconciled.Writer.TryWrite(key);
            return Task.FromResult(ReconcileResult.After(TimeSpan.FromSeconds(30)));
        });
        await Next();
        await Wait.UntilAsync(() =>
            _logs.Entries.Any(e => e.Text.StartsWith("Reconciled", StringComparison.Ordinal)), "the end of the reconcile");
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(0, _reconciled.Reader.Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("x", await Next());
    }

    [Fact]
    public async Task Run_Cancelled_CancelsReconcilesAndWaitsForThem()
    {
        var inside = new TaskCompletionSource();
        var ended = false;
        _client.AnswerList("7", null, Map("x", "3"));
        var controller = new ControllerBuilder<ConfigMap>(_informers).Build(async (_, ct) =>
        {
            inside.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, ct);
            }
            finally
            {
                await Task.Yield();
                ended = true;
            }

            return ReconcileResult.Done;
        });
        _running.Add(_informers.RunAsync(_stop.Token));
        var run = controller.RunAsync(_stop.Token);
        await inside.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await _stop.CancelAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(ended);
        Assert.DoesNotContain(_logs.Entries, e => e.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Run_ReconcileIgnoresCancellation_IsLeftBehindAfterTheTimeout()
    {
        var inside = new TaskCompletionSource();
        var stuck = new TaskCompletionSource();
        _client.AnswerList("7", null, Map("x", "3"));
        var controller = new ControllerBuilder<ConfigMap>(_informers).Build(async (_, _) =>
        {
            inside.SetResult();
            await stuck.Task;
            return ReconcileResult.Done;
        });
        _running.Add(_informers.RunAsync(_stop.Token));
        var run = controller.RunAsync(_stop.Token);
        await inside.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await _stop.CancelAsync();
        await Wait.UntilAsync(() => _time.ArmedTimers > 0, "the time-out");
        Assert.False(run.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(30));
        await run.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains(_logs.Entries, e => e.Text.Contains("left behind", StringComparison.Ordinal));
        stuck.SetResult();
    }

    [Fact]
    public void With_InvalidOptions_SaysAllThatIsWrong()
    {
        var e = Assert.Throws<ArgumentException>(() => new ControllerBuilder<ConfigMap>(_informers)
            .With(new ControllerOptions { MaxConcurrentReconciles = 0, CacheSyncTimeout = TimeSpan.Zero }));
        Assert.Contains("MaxConcurrentReconciles", e.Message, StringComparison.Ordinal);
        Assert.Contains("CacheSyncTimeout", e.Message, StringComparison.Ordinal);
    }

    private Task<ReconcileResult> Note(ResourceKey key, CancellationToken cancellationToken)
    {
        _reconciled.Writer.TryWrite(key);
        return Task.FromResult(ReconcileResult.Done);
    }

    private void Run(ControllerBuilder<ConfigMap> builder, Func<ResourceKey, CancellationToken, Task<ReconcileResult>> reconcile)
    {
        _running.Add(_informers.RunAsync(_stop.Token));
        _running.Add(builder.Build(reconcile).RunAsync(_stop.Token));
    }

    private async Task<string> Next()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return (await _reconciled.Reader.ReadAsync(timeout.Token)).Name;
    }

    private async Task AfterDelay(TimeSpan delay)
    {
        await Wait.UntilAsync(() => _time.ArmedTimers > 0, "the delay after a failure");
        _time.Advance(delay);
    }
}

internal sealed class RecordingLoggers : ILoggerFactory
{
    private readonly AsyncLocal<string?> _scope = new();

    public ConcurrentQueue<(LogLevel Level, string Text, string Scope)> Entries { get; } = new();

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => new Recorder(this);

    public void Dispose()
    {
    }

    private sealed class Recorder(RecordingLoggers all) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            all._scope.Value = state.ToString();
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) =>
            all.Entries.Enqueue((logLevel, formatter(state, exception), all._scope.Value ?? ""));
    }
}
