using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>Runs a reconciler for every object that needs a look. Made by <see cref="ControllerBuilder{T}"/>.</summary>
/// <remarks>
/// <code>
///  informers ──► map to keys ──► work queue ──► workers ──► reconciler
///                                    ▲                         │ error: backoff; RequeueAfter: timer
///                                    └─────────────────────────┘
/// </code>
/// Guarantees: workers start only when the stores are complete and every handler has been given all of it; a key is with one worker at a
/// time;
/// whatever a reconciler throws ends only that reconcile. It does not start the informers: <see cref="InformerFactory.RunAsync"/> does, so
/// that stores
/// can fill while the process still waits to become leader.
/// </remarks>
public sealed class Controller : IDisposable
{
    private readonly ControllerOptions _options;
    private readonly IReadOnlyList<IControllerSource> _sources;
    private readonly IReconciler _reconciler;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WorkQueue<ResourceKey> _queue;
    private int _started;

    internal Controller(
        string name, ControllerOptions options, IReadOnlyList<IControllerSource> sources, IReconciler reconciler, TimeProvider time,
            ILogger logger)
    {
        Name = name;
        _options = options;
        _sources = sources;
        _reconciler = reconciler;
        _time = time;
        _logger = logger;
        _queue = new WorkQueue<ResourceKey>(name, time, new ItemBackoff<ResourceKey>(options.FirstRetryDelay, options.MaxRetryDelay));
    }

    /// <summary>Name in logs and metrics.</summary>
    public string Name { get; }

    /// <summary>What waits to be worked on; for a simulation that works step by step.</summary>
    internal WorkQueue<ResourceKey> Queue => _queue;

    /// <summary>Gives work from outside, such as a timer or another system's notification.</summary>
    public void Enqueue(ResourceKey key, TimeSpan delay = default) => _queue.AddAfter(key, delay);

    /// <summary>
    /// Works until cancelled; then cancels the running reconciles, waits for them at most <see cref="ControllerOptions.ShutdownTimeout"/>,
    /// and returns. May be called once.
    /// </summary>
    /// <param name="cancellationToken">Stops the controller. With leader election, pass <see cref="Leadership.Token"/>: no write begins
    /// after it is cancelled.</param>
    /// <exception cref="TimeoutException">The stores were not complete within <see cref="ControllerOptions.CacheSyncTimeout"/>; the message
    /// names the kinds.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new InvalidOperationException($"The controller {Name} has been started before.");
        }

        using var metrics = new ControllerMetrics(Name);
        using var queue = _queue;
        var handlers = StartSources();
        try
        {
            await WaitForSyncAsync(handlers, cancellationToken).ConfigureAwait(false);
            ControllerLog.Started(_logger, Name, _options.MaxConcurrentReconciles);
            var workers = Task.WhenAll(Enumerable.Range(0, _options.MaxConcurrentReconciles)
                .Select(_ => Task.Run(() => WorkAsync(metrics, cancellationToken), CancellationToken.None)));
            await UntilCancelledAsync(workers, cancellationToken).ConfigureAwait(false);
            queue.ShutDown();
            await workers.WaitAsync(_options.ShutdownTimeout, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException) when (cancellationToken.IsCancellationRequested)
        {
            ControllerLog.LeftBehind(_logger, Name, _options.ShutdownTimeout);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped before the stores were complete.
        }
        finally
        {
            foreach (var (_, handler) in handlers)
            {
                handler.Dispose();
            }
        }

        ControllerLog.Stopped(_logger, Name);
    }

    /// <summary>Only needed for a controller that was never run.</summary>
    public void Dispose() => _queue.Dispose();

    /// <summary>From now on, what changes in the stores gives work.</summary>
    internal List<(IInformer Informer, IInformerHandler Handler)> StartSources() =>
        [.. _sources.Select(s => (s.Informer, s.Start(key => _queue.Add(key))))];

    private static async Task UntilCancelledAsync(Task workers, CancellationToken cancellationToken)
    {
        try
        {
            await workers.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }
    }

    private async Task WaitForSyncAsync(IReadOnlyList<(IInformer Informer, IInformerHandler Handler)> handlers,
        CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.CacheSyncTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await Task.WhenAll(handlers.Select(h => h.Handler.WaitForSyncAsync(either.Token))).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var kinds = string.Join(", ",
                handlers.Where(h => !h.Handler.HasSynced).Select(h =>
                $"{h.Informer.Descriptor.Plural} ({h.Informer.Descriptor.ApiVersion})"));
            throw new TimeoutException(
                $"Controller {Name} could not read {kinds} within {_options.CacheSyncTimeout}. "
                + "Are the kinds installed, and may this account list and watch them?");
        }
    }

    private async Task WorkAsync(ControllerMetrics metrics, CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested && await WorkOnceAsync(metrics, cancellationToken).ConfigureAwait(false))
            {
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }
    }

    /// <summary>Waits for a key and works on it; false when the queue is shut down.</summary>
    internal async Task<bool> WorkOnceAsync(ControllerMetrics metrics, CancellationToken cancellationToken)
    {
        var item = await _queue.GetAsync(cancellationToken).ConfigureAwait(false);
        if (!item.HasKey)
        {
            return false;
        }

        try
        {
            await ReconcileAsync(item.Key, metrics, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _queue.Done(item.Key);
        }

        return true;
    }

    private async Task ReconcileAsync(ResourceKey key, ControllerMetrics metrics, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString();
        using var scope = _logger.BeginScope(new ReconcileScope(Name, key, id));
        var started = _time.GetTimestamp();
        var outcome = ReconcileOutcome.Cancelled;
        metrics.Began();
        try
        {
            var result = await _reconciler.ReconcileAsync(key, cancellationToken).ConfigureAwait(false);
            _queue.Forget(key);
            outcome = ReconcileOutcome.Success;
            if (result.RequeueAfter is { } delay)
            {
                outcome = ReconcileOutcome.RequeueAfter;
                _queue.AddAfter(key, delay);
            }

            ControllerLog.Reconciled(_logger, key, id);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Whatever it was, it came of stopping; the next leader or start looks at everything again.
        }
        catch (TerminalException e)
        {
            outcome = ReconcileOutcome.Terminal;
            _queue.Forget(key);
            ControllerLog.FailedForGood(_logger, key, id, e);
        }
        catch (KubeException e) when (e.IsConflict)
        {
            outcome = ReconcileOutcome.Error;
            ControllerLog.Conflict(_logger, key, id, e.Message);
            _queue.AddRateLimited(key);
        }
        catch (Exception e)
        {
            outcome = ReconcileOutcome.Error;
            ControllerLog.Failed(_logger, key, _queue.Failures(key) + 1, id, e);
            _queue.AddRateLimited(key, (e as KubeException)?.RetryAfter ?? default);
        }
        finally
        {
            metrics.Ended(outcome, _time.GetElapsedTime(started));
        }
    }
}
