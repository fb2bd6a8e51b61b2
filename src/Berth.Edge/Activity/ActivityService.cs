using System.Collections.Concurrent;
using Berth.Resources;
using Kube.Client;
using Kube.Runtime;

namespace Berth.Edge;

/// <summary>
/// The edge's part in stopping idle workspaces: writes use, answers announcements of stops, and gives signs of life that say up to when
/// its word is complete.
/// </summary>
/// <remarks>
/// <code>
/// each 10 s:      write what moved -> renew the Lease (written until: when the writing began) -> look at announced stops
/// announcement:   write at once what is later -> ask the application
/// use under one:  write at once
/// orderly end:    write everything -> delete the Lease
/// </code>
/// It ends after the server has ended, since services end in the reverse order of their start: use until the last connection is written.
/// </remarks>
internal sealed partial class ActivityService : BackgroundService
{
    // The number of announcements that are answered at a time; an application may take five seconds to answer.
    private const int Workers = 8;

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(EdgeLeases.RenewSeconds);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);

    private static readonly TimeSpan NextSecond = TimeSpan.FromMilliseconds(1020);

    private readonly ActivityTable _table;
    private readonly ActivityWriter _writer;
    private readonly ActivityLease _lease;
    private readonly ApplicationProbe _probe;
    private readonly PolicyReader _policy;
    private readonly WorkspaceWatch _watch;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    private readonly ConcurrentDictionary<string, byte> _announced = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> _asking = new(StringComparer.Ordinal);
    private LeaseClaim _claim = LeaseClaim.None;
    private long? _sweptAt;
    private bool _hasLease;

    public ActivityService(
        ActivityTable table, ActivityWriter writer, ActivityLease lease, ApplicationProbe probe, PolicyReader policy, WorkspaceWatch watch,
        TimeProvider clock, ILogger<ActivityService> logger)
    {
        (_table, _writer, _lease, _probe, _policy, _watch, _clock, _logger) = (table, writer, lease, probe, policy, watch, clock, logger);
        watch.OnWorkspace(Look);
    }

    /// <summary>What the Lease says.</summary>
    internal LeaseClaim Claim => _claim;

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);

        if (!_hasLease)
        {
            return;
        }

        // Not the caller's token: when requests took all the time there was, their use still has to be written.
        using var limit = new CancellationTokenSource(LastWords, _clock);
        try
        {
            if (await _writer.FlushAsync(everything: true, limit.Token).ConfigureAwait(false))
            {
                await _lease.DeleteAsync(limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is KubeException or HttpRequestException or IOException or OperationCanceledException)
        {
            // The Lease stays and keeps everything running for five minutes; browsers come to another replica meanwhile.
            LogNotEnded(_lease.Name, error.Message);
        }
    }

    /// <summary>One heartbeat.</summary>
    internal async Task BeatAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Beat, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _policy.RefreshAsync(either.Token).ConfigureAwait(false);

            var began = _clock.GetUtcNow();
            var contact = _watch.LastContact;
            var allWritten = await _writer.FlushAsync(everything: false, either.Token).ConfigureAwait(false);
            _claim = _claim.After(began, contact, allWritten);
        }
        catch (Exception error) when (IsPassing(error, cancellationToken))
        {
            LogFailed("write use", Words(error));
        }

        await SignOfLifeAsync(cancellationToken).ConfigureAwait(false);
        foreach (var name in _announced.Keys)
        {
            _table.Hurry(name);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var workers = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => AnswerAsync(stoppingToken)));
        try
        {
            // A replica that has no picture yet has no Lease either, and serves nobody.
            await _watch.WaitForSyncAsync(stoppingToken).ConfigureAwait(false);
            using var timer = new PeriodicTimer(Beat, _clock);
            do
            {
                await BeatAsync(stoppingToken).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }

        await workers.ConfigureAwait(false);
    }

    // An API that is away, a call that took too long, or a defect: the heart beats on, and the next beat tries again.
    private static bool IsPassing(Exception error, CancellationToken stopping) =>
        error is not OperationCanceledException || !stopping.IsCancellationRequested;

    private static string Words(Exception error) => error is OperationCanceledException ? "the API did not answer in time" : error.Message;

    private async Task SignOfLifeAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Beat, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            _hasLease = true;
            await _lease.RenewAsync(_claim.WrittenUntil, either.Token).ConfigureAwait(false);
            if (_sweptAt is not { } swept || _clock.GetElapsedTime(swept) >= SweepInterval)
            {
                _sweptAt = _clock.GetTimestamp();
                await _lease.SweepAsync(either.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (IsPassing(error, cancellationToken))
        {
            LogFailed($"renew its Lease {_lease.Name} or clear away old ones", Words(error));
        }
    }

    // From the watch's own pump: every change of every workspace, in order.
    private void Look(InformerEvent<UserWorkspace> e)
    {
        var (name, workspace) = (e.Resource.Metadata.Name!, e.Resource);
        if (e.Kind == InformerEventKind.Deleted)
        {
            _announced.TryRemove(name, out _);
            if (_watch.Find(name) is null)
            {
                _writer.Forget(name);
            }
        }
        else if (ActivityPlan.IsAnnounced(workspace))
        {
            _announced[name] = 0;
            _table.Of(name).Announce(IdleTimes.Throttle(IdleTimes.Timeout(workspace, _watch.TemplateOf(workspace), _policy.Lifetime)));
            _table.Hurry(name);
        }
        else if (_announced.TryRemove(name, out _))
        {
            _table.Find(name)?.Withdraw();
        }
    }

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var name in _table.Urgent.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    await _writer.WriteAsync(name, null, everything: false, cancellationToken).ConfigureAwait(false);
                    await AskAsync(name, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    // One workspace must not keep the others from being looked at.
                    LogUnexpected(name, error);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task AskAsync(string name, CancellationToken cancellationToken)
    {
        if (_writer.Current(name) is not { } workspace || _watch.TemplateOf(workspace) is not { Spec.Activity.Probe: { } probe } template
            || !_asking.TryAdd(name, 0))
        {
            return;
        }

        try
        {
            // An announcement of this very second is asked about in the next one, see HasToAsk; with a margin, since timers may be early.
            var early = workspace.Status?.Activity?.AnnouncedAt is { } announced
                ? announced + NextSecond - _clock.GetUtcNow() : TimeSpan.Zero;
            if (early > TimeSpan.Zero && early <= NextSecond)
            {
                await Task.Delay(early, _clock, cancellationToken).ConfigureAwait(false);
            }

            if (ActivityPlan.HasToAsk(workspace, template, _clock.GetUtcNow())
                && await _probe.AskAsync(workspace, probe, cancellationToken).ConfigureAwait(false) is { } result)
            {
                await _writer.WriteAsync(name, result, everything: false, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _asking.TryRemove(name, out _);
        }
    }

    [LoggerMessage(5600, LogLevel.Warning,
        "This replica could not {What}; it tries again in 10 s, and until then nothing is stopped for lack of use: {Reason}")]
    private partial void LogFailed(string what, string reason);

    [LoggerMessage(5602, LogLevel.Warning,
        "The last use could not be written; the Lease {Lease} stays and delays stops by five minutes: {Reason}")]
    private partial void LogNotEnded(string lease, string reason);

    [LoggerMessage(5605, LogLevel.Error, "The announced stop of workspace {Name} could not be answered; it is tried again in 10 s.")]
    private partial void LogUnexpected(string name, Exception error);
}
