using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Fakes;
using Microsoft.Extensions.Logging;
using Testing;

namespace Kube.Runtime.Tests.Events;

public sealed class EventRecorderTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubeClient _client = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Controllers.RecordingLoggers _logs = new();
    private readonly EventRecorder _recorder;
    private readonly ConfigMap _about = Objects.Map("x", "3");
    private Task _run = Task.CompletedTask;

    public EventRecorderTests() => _recorder = new EventRecorder(_client, "test", _time, new Logger<EventRecorder>(_logs));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.WaitAsync(TimeSpan.FromSeconds(30));
        _stop.Dispose();
        _logs.Dispose();
    }

    [Fact]
    public async Task Normal_SameEventTwice_IsCreatedAndThenCounted()
    {
        Start();
        _recorder.Normal(_about, "Started", "it runs");
        var created = (CoreEvent)(await _client.NextRequestAsync()).Body;
        Assert.Equal(("Normal", "Started", "it runs", "ConfigMap", "x", "uid-x"),
            (created.Type, created.Reason, created.Message, created.InvolvedObject.Kind, created.InvolvedObject.Name,
                created.InvolvedObject.Uid));

        _time.Advance(TimeSpan.FromMinutes(1));
        _recorder.Normal(_about, "Started", "it runs");
        Assert.Equal("PATCH", (await _client.NextRequestAsync()).Verb);
        await Wait.UntilAsync(() => Stored(created)?.Count == 2, "the count");
        Assert.Equal(_time.GetUtcNow(), Stored(created)!.LastTimestamp);
    }

    [Fact]
    public async Task Normal_RepeatOfAnEventThatExpired_IsCreatedAnewWithItsCount()
    {
        Start();
        _recorder.Normal(_about, "Started", "it runs");
        var created = (CoreEvent)(await _client.NextRequestAsync()).Body;
        await Wait.UntilAsync(() => Stored(created) is not null, "the event");
        await _client.DeleteAsync<CoreEvent>("a", created.Metadata.Name!, null, CancellationToken.None);
        _recorder.Normal(_about, "Started", "it runs");
        Assert.Equal("PATCH", (await _client.NextRequestAsync()).Verb);
        var again = (CoreEvent)(await _client.NextRequestAsync()).Body;
        Assert.Equal(2, again.Count);
        Assert.NotEqual(created.Metadata.Name, again.Metadata.Name);
    }

    [Fact]
    public async Task Warning_ServerDown_IsTriedTwelveTimesAndThenDropped()
    {
        var tries = 0;
        _client.BeforeWrite = (_, _) =>
        {
            tries++;
            throw FakeKubeClient.Error(503, "ServiceUnavailable");
        };
        Start();
        _recorder.Warning(_about, "Failed", "no");
        for (var i = 1; i < 12; i++)
        {
            await Wait.UntilAsync(() => tries == i && _time.ArmedTimers == 1, $"try {i}");
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        await Wait.UntilAsync(() => _logs.Entries.Any(e => e.Level == LogLevel.Warning), "giving up");
        Assert.Equal(12, tries);
    }

    [Fact]
    public async Task Warning_ServerRefuses_IsNotTriedAgain()
    {
        var tries = 0;
        _client.BeforeWrite = (_, _) =>
        {
            tries++;
            throw FakeKubeClient.Error(403, "Forbidden", "the namespace is going away");
        };
        Start();
        _recorder.Warning(_about, "Failed", "no");
        await Wait.UntilAsync(() => _logs.Entries.Any(e => e.Text.Contains("going away", StringComparison.Ordinal)), "giving up");
        Assert.Equal(1, tries);
    }

    [Fact]
    public void Normal_NobodySends_DropsAfterAThousandAndNeverBlocks()
    {
        for (var i = 0; i < 1500; i++)
        {
            _recorder.Normal(_about, "Started", $"m{i}");
        }

        Assert.Equal(500, _logs.Entries.Count(e => e.Text.Contains("dropped", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Run_Cancelled_SendsWhatStillWaits()
    {
        _recorder.Normal(_about, "Stopping", "bye");
        await _stop.CancelAsync();
        await _recorder.RunAsync(_stop.Token).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("CREATE", (await _client.NextRequestAsync()).Verb);
    }

    [Fact]
    public async Task Normal_ClusterScopedObject_GoesToDefault()
    {
        Start();
        _recorder.Normal(new Namespace { Metadata = new ObjectMeta { Name = "n", Uid = "u" } }, "Seen", "m");
        Assert.StartsWith("/api/v1/namespaces/default/events/n.", (await _client.NextRequestAsync()).Path, StringComparison.Ordinal);
    }

    private void Start() => _run = _recorder.RunAsync(_stop.Token);

    private CoreEvent? Stored(CoreEvent created) =>
        _client.TryGetAsync<CoreEvent>("a", created.Metadata.Name!, CancellationToken.None) is { IsCompletedSuccessfully: true } task
            ? GetNow(task) : null;

#pragma warning disable xUnit1031 // Completed: checked by the caller.
    private static CoreEvent? GetNow(Task<CoreEvent?> task) => task.GetAwaiter().GetResult();
#pragma warning restore xUnit1031
}
