using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Kube.Server.Controllers;
using Kube.Server.Runner.Logs;
using Kube.Server.Runner.Processes;
using Kube.Server.Runner.Volumes;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Runner.Pods;

/// <summary>
/// Runs one pod. All state belongs to its loop: take a message, let <see cref="PodMachine"/> decide, do what it says, write the status.
/// </summary>
internal sealed partial class PodWorker : IDisposable
{
    private readonly RunnerContext _context;
    private readonly Channel<PodMessage> _inbox = Channel.CreateUnbounded<PodMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly PodLauncher _launcher;
    private PodShape _shape;
    private PodState _state;
    private ImmutableDictionary<string, RunningContainer> _running = ImmutableDictionary<string, RunningContainer>.Empty;
    private DateTimeOffset? _mountRetryAt;
    private bool _filesAreOld;
    private DateTimeOffset? _filesRetryAt;
    private DateTimeOffset? _tokensAt;
    private bool _removed;
    private (DateTime, long)? _catalogSeen;

    public PodWorker(RunnerContext context, JsonObject pod)
    {
        _context = context;
        _shape = PodShape.Read(pod);
        _state = PodRecovery.Read(_shape, context.Time.GetUtcNow());
        _launcher = new PodLauncher(context, _shape, Post);
        _catalogSeen = context.Images.Version;
        Completed = Task.Run(LoopAsync);
    }

    /// <summary>Ends when the pod is gone, or the worker was stopped.</summary>
    public Task Completed { get; }

    public void Post(PodMessage message) => _inbox.Writer.TryWrite(message);

    /// <summary>The log of a run that goes on, for followers.</summary>
    public ContainerLog? LiveLog(string container) => _running.GetValueOrDefault(container)?.Log;

    /// <summary>
    /// Ends the processes and leaves the object as it is, so that the next start of the host finds it as a node does after a reboot.
    /// </summary>
    public async Task StopAsync(TimeSpan grace)
    {
        await _stop.CancelAsync();
        await Completed;
        foreach (var container in _running.Values)
        {
            container.Stop(grace < _shape.Grace ? grace : _shape.Grace);
        }

        await Task.WhenAll(_running.Values.Select(c => c.Exited));
        try
        {
            PodTemp.Remove(_context.PodFolder(_shape.Uid));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogNotRemoved(_context.Logger, error, _context.PodFolder(_shape.Uid));
        }
    }

    /// <summary>After <see cref="Completed"/>.</summary>
    public void Dispose() => _stop.Dispose();

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            DateTimeOffset? wake;
            try
            {
                while (_inbox.Reader.TryRead(out var message))
                {
                    Take(message);
                }

                (var over, wake) = await StepAsync();
                if (over)
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // One pod's trouble, whatever it is, is tried again; the others must not notice.
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogStepFailed(_context.Logger, error, _shape.Namespace, _shape.Name);
                wake = _context.Time.GetUtcNow() + _context.Options.RetryInterval;
            }

            await SleepAsync(wake);
        }
    }

    private async Task SleepAsync(DateTimeOffset? wake)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        await using var timer = wake is null ? null : _context.Time.CreateTimer(
            static s => ((CancellationTokenSource)s!).Cancel(), until, Later(wake.Value - _context.Time.GetUtcNow()),
                Timeout.InfiniteTimeSpan);
        try
        {
            await _inbox.Reader.WaitToReadAsync(until.Token);
        }
        catch (OperationCanceledException)
        {
            // Time to look again, or to stop.
        }
    }

    private static TimeSpan Later(TimeSpan delay) => delay > TimeSpan.Zero ? delay : TimeSpan.FromMilliseconds(1);

    private void Take(PodMessage message)
    {
        var now = _context.Time.GetUtcNow();
        switch (message)
        {
            case PodMessage.Updated updated:
                var before = _shape;
                _shape = PodShape.Read(updated.Pod);
                _filesAreOld |= FilesMayDiffer(before);
                break;
            case PodMessage.Removed:
                // Its object cannot tell the grace any more: a forced deletion is a short one, as a kubelet treats it.
                _removed = true;
                _shape = _shape with { Deleting = true, Grace = Shorter(_shape.Grace, TimeSpan.FromSeconds(2)) };
                break;
            case PodMessage.Exited exited when _running.TryGetValue(exited.Container, out var run) && run.Id == exited.Id:
                _running = _running.Remove(exited.Container);
                run.Dispose();
                _state = _state.With(_state[exited.Container].Exit(exited.Status, now, message: exited.LastWords));
                break;
            case PodMessage.ProbeVerdict verdict when IsCurrent(verdict.Container, verdict.Id, out var run):
                TakeVerdict(verdict, run);
                break;
            case PodMessage.ProbeFailed failed when IsCurrent(failed.Container, failed.Id, out var run):
                TakeFailure(failed, run);
                break;
        }
    }

    private bool IsCurrent(string container, string id, out RunningContainer run) =>
        _running.TryGetValue(container, out run!) && run.Id == id && _state[container].Phase == ContainerPhase.Running;

    private void TakeVerdict(PodMessage.ProbeVerdict verdict, RunningContainer run)
    {
        var container = _state[verdict.Container];
        if (verdict.Kind == ProbeKind.Readiness)
        {
            _state = _state.With(container with { Ready = verdict.Success && container.Started });
        }
        else if (verdict is { Kind: ProbeKind.Startup, Success: true })
        {
            _state = _state.With(container with { Started = true, Ready = run.Shape.Readiness is null });
            run.StartRegularProbes();
        }
    }

    private void TakeFailure(PodMessage.ProbeFailed failed, RunningContainer run)
    {
        var kind = failed.Probe.Kind;
        Event("Warning", "Unhealthy", $"{kind} probe failed: {failed.Message}", failed.Container);
        if (failed.Reached && kind != ProbeKind.Readiness && run.Stop(_shape.Grace))
        {
            Event("Normal", "Killing",
                $"Container {failed.Container} failed {(kind == ProbeKind.Liveness ? "liveness" : "startup")} probe, will be restarted",
                failed.Container);
        }
    }

    private async Task<(bool Over, DateTimeOffset? WakeAt)> StepAsync()
    {
        var now = _context.Time.GetUtcNow();
        var wake = CheckCatalog(now);
        if (!_state.VolumesReady && !_shape.Deleting && _state.RefusedReason is null && !PodMachine.Ended(_shape, _state))
        {
            await PrepareAsync(now);
            wake = Earlier(wake, _mountRetryAt);
        }

        _filesAreOld |= _tokensAt <= now;
        RefreshFiles(now);
        wake = Earlier(Earlier(wake, _filesRetryAt), _tokensAt > now ? _tokensAt : null);
        var decision = PodMachine.Decide(_shape, _state, now, _context.Backoff);
        _state = decision.State;
        foreach (var one in decision.Events)
        {
            Event(one.Type, one.Reason, one.Message, one.Container);
        }

        foreach (var name in decision.Start)
        {
            await StartAsync(_shape.All.First(c => c.Name == name));
        }

        foreach (var name in decision.Stop)
        {
            if (_running.TryGetValue(name, out var run) && run.Stop(_shape.Grace))
            {
                Event("Normal", "Killing", $"Stopping container {name}", name);
            }
        }

        if (_removed)
        {
            return (decision.Over && CleanUp(), wake);
        }

        await WriteStatusAsync();
        if (decision.Over && _shape.Deleting)
        {
            await RemoveObjectAsync();
            return (CleanUp(), null);
        }

        // A start may have changed what is to be done next (a failed one has a backoff): decide again without waiting.
        return (false, decision.Start.Count > 0 ? now : Earlier(wake, decision.WakeAt));
    }

    private async Task PrepareAsync(DateTimeOffset now)
    {
        if (_mountRetryAt > now)
        {
            return;
        }

        try
        {
            await _launcher.PrepareAsync(_shape, _stop.Token);
            _state = _state with { VolumesReady = true };
            _mountRetryAt = null;
            _filesAreOld = false;
            _tokensAt = now + Volumes.PodVolumes.Renewal(_shape);
        }
        catch (MountException error)
        {
            _mountRetryAt = now + _context.Options.RetryInterval;
            Event("Warning", "FailedMount", error.Message, null);
        }
    }

    private async Task StartAsync(ContainerShape container)
    {
        var result = await _launcher.StartAsync(_shape, container, _stop.Token);
        var now = _context.Time.GetUtcNow();
        var state = _state[container.Name];
        switch (result)
        {
            case LaunchResult.Running started:
                _running = _running.SetItem(container.Name, started.Container);
                var atOnce = container.Startup is null;
                _state = _state.With(state.Run(started.Container.Id, now, atOnce, atOnce && container.Readiness is null));
                started.Container.StartProbes();
                break;
            case LaunchResult.NoImage missing:
                _state = _state.With(state.ImageMissing(missing.Message, now, _context.Backoff));
                break;
            case LaunchResult.BadConfig bad:
                _state = _state.With(state.ConfigError("CreateContainerConfigError", bad.Message, now + _context.Options.RetryInterval));
                break;
            case LaunchResult.Failed failed:
                var restarts = state.Ended is null ? state.RestartCount : state.RestartCount + 1;
                _state = _state.With((state with { StartedAt = now, ContainerId = failed.Id, RestartCount = restarts })
                    .Exit(new ExitStatus(failed.ExitCode, 0), now, "StartError", failed.Message));
                break;
        }
    }

    private void Event(string type, string reason, string message, string? container) =>
        _context.Events.Add(_launcher.Subject(container), type, reason, message);

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other ?? one : one;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    [LoggerMessage(10, LogLevel.Error, "Pod {Namespace}/{Name}: a step failed and is tried again")]
    private static partial void LogStepFailed(ILogger logger, Exception error, string @namespace, string name);

    [LoggerMessage(11, LogLevel.Warning, "The folder {Folder} of a removed pod could not be removed")]
    private static partial void LogNotRemoved(ILogger logger, Exception error, string folder);
}
