using System.Text;
using System.Text.Json;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// Announcing, withdrawing and stopping against an API. The operator's clock can be put forward, so that half an hour passes at once; the
/// test is the edge: it keeps a Lease by the same clock.
/// </summary>
public abstract class IdleStopSuite : OperatorTestBase
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>A step of time in which a Lease stays good, also for an operator that learns of the last two renewals late.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(EdgeLeaseSeconds / 3);

    /// <summary>The longest that the operator believes.</summary>
    private const int EdgeLeaseSeconds = 60;

    private readonly MovedClock _clock = new();

    private protected override TimeProvider Time => _clock;

    /// <summary>The time from an announcement to the stop passes in many steps, each with a look of the operator.</summary>
    private protected override TimeSpan Deadline => TimeSpan.FromMinutes(2);

    [SkippableFact]
    public async Task Unused_IsAnnounced_WithdrawnWhenUsed_AndStoppedAtLast()
    {
        SkipIfThereIsNoApi();
        await using var edge = new FakeEdge(Client, Ns, _clock);
        await RunningAsync();
        var announced = await PassAsync(TimeSpan.FromMinutes(26), w => w.Status?.Activity?.StopsAt is not null, edge);
        var activity = announced.Status!.Activity!;
        Assert.Equal(StopReasons.Idle, activity.StopReason);
        Assert.True(activity.StopsAt - activity.AnnouncedAt > TimeSpan.FromMinutes(3), activity.ToString());
        Assert.Equal(DesiredStates.Running, announced.Spec.DesiredState);

        // Somebody uses it: the edge's veto.
        var used = Times.Text(_clock.GetUtcNow());
        await PatchAsync<UserWorkspace>(Name, $$$"""{"status":{"activity":{"last":"{{{used}}}","source":"Input"} } }""", "status");
        var withdrawn = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Activity?.StopsAt is null);
        Assert.Equal(used, Times.Text(withdrawn!.Status!.Activity!.Last!.Value));

        await PassAsync(TimeSpan.FromMinutes(26), w => w.Status?.Activity?.StopsAt is not null, edge);
        var stopped = await PassAsync(TimeSpan.Zero, w => w.Spec.DesiredState == DesiredStates.Stopped, edge);
        Assert.Equal((RequestedBy.Operator, RequestReasons.Idle), (stopped.Spec.LastRequest!.By, stopped.Spec.LastRequest.Reason));
        stopped = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
        Assert.Null(stopped!.Status!.Activity!.StopsAt);
        Assert.Equal("Input", stopped.Status.Activity.Source);
    }

    [SkippableFact]
    public async Task NobodyReportsUse_IsNotStopped_AndSaysWhy()
    {
        SkipIfThereIsNoApi();
        await RunningAsync();
        var workspace = await PassAsync(
            TimeSpan.FromHours(2), w => w.Status?.Conditions?.Any(c => c is
            {
                Type: ConditionTypes.ActivityFresh,
                Status: "False"
            }) == true);
        Assert.Null(workspace.Status!.Activity?.StopsAt);
        Assert.Equal(WorkspacePhases.Running, workspace.Status.Phase);
        await PassAsync(TimeSpan.FromHours(2), static _ => true);
        var later = await PassAsync(TimeSpan.FromHours(2), static _ => true);
        Assert.Equal(DesiredStates.Running, later.Spec.DesiredState);
        Assert.Equal(workspace.Status.Activity, later.Status!.Activity);
    }

    [SkippableFact]
    public async Task StopAndStartRace_TheStartWins()
    {
        SkipIfThereIsNoApi();
        await using var edge = new FakeEdge(Client, Ns, _clock);
        await RunningAsync();
        await PassAsync(TimeSpan.FromMinutes(26), w => w.Status?.Activity?.StopsAt is not null, edge);

        // Between the operator's look and its write, somebody starts it again.
        _interpose = async () =>
        {
            _interpose = null;
            var now = Times.Text(_clock.GetUtcNow());
            await PatchAsync<UserWorkspace>(
                Name, $$$"""{"spec":{"desiredState":"Running","lastRequest":{"by":"user","reason":"Manual","at":"{{{now}}}"} } }""");
        };
        var workspace = await PassAsync(
            TimeSpan.Zero,
            w => w is { Status.Activity.StopsAt: null, Spec.LastRequest.By: RequestedBy.User } && _interpose is null,
            edge);
        Assert.Equal(DesiredStates.Running, workspace.Spec.DesiredState);
        Assert.Equal(WorkspacePhases.Running, workspace.Status!.Phase);
    }

    private Func<Task>? _interpose;

    private protected override IKubeClient ForOperator(IKubeClient client) =>
        new InterposingClient(client, () => _interpose?.Invoke() ?? Task.CompletedTask);

    /// <summary>
    /// Time passes at once, then step by step until the workspace is as expected; it changes at each step, so that the operator looks,
    /// whose timers know nothing of the clock.
    /// </summary>
    /// <remarks>
    /// Nothing may be announced when much time passes at once: to an operator that looks before the edge has renewed by the new time, the
    /// edge has long been silent, and it takes the announcement back, as it must.
    /// </remarks>
    private async Task<UserWorkspace> PassAsync(TimeSpan time, Func<UserWorkspace, bool> expected, FakeEdge? edge = null)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        for (var next = time; ; next = Step)
        {
            _clock.Forward(next);
            await (edge?.RenewedAsync() ?? Task.CompletedTask);
            var owner = Guid.NewGuid().ToString("N");
            await PatchAsync<UserWorkspace>(Name, $$$"""{"spec":{"owner":{"name":"{{{owner}}}"} } }""");
            var generation = (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Metadata.Generation;
            var seen = (await UntilAsync<UserWorkspace>(Name, w => w?.Status?.ObservedGeneration >= generation || expected(w!)))!;
            if (expected(seen))
            {
                return seen;
            }

            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException(
                    $"At {Times.Text(_clock.GetUtcNow())} it is {JsonSerializer.Serialize(seen, UserWorkspace.JsonTypeInfo)}.");
            }
        }
    }

    private async Task RunningAsync()
    {
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        await AnswersAsync(at: _clock.GetUtcNow());
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Running);
    }

    /// <summary>The system's clock, put forward; timers run as ever.</summary>
    private sealed class MovedClock : TimeProvider
    {
        private long _ticks;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

        internal void Forward(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
    }

    /// <summary>
    /// A replica of the edge that knows of no use: it renews its Lease, often, as its clock may be put forward at any time.
    /// </summary>
    private sealed class FakeEdge : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private int _renewals;

        internal FakeEdge(IKubeClient client, string ns, TimeProvider clock) =>
            _running = Task.Run(() => RunAsync(client, ns, clock, _stop.Token));

        /// <summary>Waits until it has renewed by the clock as it is now: the first to end may have begun before.</summary>
        internal async Task RenewedAsync()
        {
            var before = Volatile.Read(ref _renewals);
            while (Volatile.Read(ref _renewals) < before + 2 && !_running.IsCompleted)
            {
                await Task.Delay(Interval, TimeProvider.System);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }

        private async Task RunAsync(IKubeClient client, string ns, TimeProvider clock, CancellationToken cancellationToken)
        {
            var lease = await client.CreateAsync(Of(ns, clock.GetUtcNow()), null, CancellationToken.None);
            try
            {
                while (true)
                {
                    await Task.Delay(Interval, TimeProvider.System, cancellationToken);
                    var next = Of(ns, clock.GetUtcNow());
                    lease = await client.ReplaceAsync(
                        next with { Metadata = next.Metadata with { ResourceVersion = lease.Metadata.ResourceVersion } }, null,
                            cancellationToken);
                    Interlocked.Increment(ref _renewals);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The end of the test.
            }
        }

        private static Lease Of(string ns, DateTimeOffset now) => new()
        {
            Metadata = new ObjectMeta
            {
                Name = "berth-edge-activity-fake",
                Namespace = ns,
                Labels = new Dictionary<string, string> { [EdgeLeases.Component] = EdgeLeases.ComponentValue },
                Annotations = new Dictionary<string, string> { [EdgeLeases.ActivityWrittenUntil] = Times.Text(now) },
            },
            Spec = new LeaseSpec { HolderIdentity = "fake", LeaseDurationSeconds = EdgeLeaseSeconds, RenewTime = now },
        };
    }

    /// <summary>Lets a test write just before the operator stops a workspace.</summary>
    private sealed class InterposingClient(IKubeClient inner, Func<Task> beforeStop) : DelegatingKubeClient(inner)
    {
        public override async Task<T> PatchAsync<T>(
            string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken,
            string? subresource = null)
        {
            if (T.Descriptor.Kind == "UserWorkspace"
                && Encoding.UTF8.GetString(patch.Body.Span).Contains("Stopped", StringComparison.Ordinal))
            {
                await beforeStop();
            }

            return await base.PatchAsync<T>(ns, name, patch, options, cancellationToken, subresource);
        }
    }
}

/// <summary>The suite on the embedded API.</summary>
public sealed class IdleStopOnKubeServerTests : IdleStopSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class IdleStopOnClusterTests : IdleStopSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
