using System.Collections.Concurrent;
using Kube.Server.Controllers;
using Kube.Server.Runner.Images;
using Kube.Server.Runner.Pods;
using Kube.Server.Runner.Ports;
using Kube.Server.Runner.Probes;
using Kube.Server.Runner.Processes;
using Kube.Server.Runner.Volumes;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Runner;

/// <summary>
/// A kubelet for processes: registers this machine as a node and runs the pods assigned to it as local processes. See README.md beside this
/// file for what a pod gets and what it does not.
/// </summary>
public sealed partial class PodRunner : IHostedController, IPodLogSource, IDisposable
{
    // A kubelet refreshes its node's status as often when nothing changes.
    private static readonly TimeSpan NodeRefresh = TimeSpan.FromMinutes(5);

    private readonly PodRunnerOptions _options;
    private readonly ConcurrentDictionary<string, PodWorker> _workers = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private RunnerContext? _context;
    private Task _watching = Task.CompletedTask;
    private Task _refreshing = Task.CompletedTask;

    /// <summary>Creates a runner; <see cref="StartAsync"/> sets it going.</summary>
    /// <param name="options">How to run.</param>
    public PodRunner(PodRunnerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    /// <inheritdoc/>
    public string Name => "pod-runner";

    /// <inheritdoc/>
    public async Task StartAsync(HostedControllerContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var data = Path.GetFullPath(_options.DataDirectory ?? context.DataDirectory);
        var logger = context.LoggerFactory.CreateLogger<PodRunner>();
        var state = Path.Combine(data, "runner", "processes");
        PrivateFolders.Create(RunnerContext.ClaimsFolder(data));
        var left = await new ProcessLedger(state).SweepAsync(TimeSpan.FromSeconds(2), context.TimeProvider, cancellationToken);
        if (left > 0)
        {
            LogSwept(logger, left);
        }

        _context = new RunnerContext
        {
            Api = context.Api,
            Options = _options,
            DataDirectory = data,
            SearchPath = _options.SearchPath ?? Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
            Processes = new ProcessHost(state),
            Images = new ImageCatalog(_options.ImageCatalog),
            Ports = new PortAllocator(),
            Volumes = new PodVolumes(context.Api, RunnerContext.ClaimsFolder(data), context.Tokens),
            Network = new NetworkProbes(),
            Events = new EventRecorder(context.Api, "kubelet", context.TimeProvider, logger),
            Time = context.TimeProvider,
            Logger = logger,
        };
        await NodeRegistration.WriteAsync(context.Api, _options.NodeName, context.TimeProvider, cancellationToken);
        var selector = new SelectorOptions { FieldSelector = $"spec.nodeName={_options.NodeName}" };
        _watching = Task.Run(() => WatchLoop.RunAsync(
            token => context.Api.WatchAsync(GroupResource.Pods, selectors: selector, cancellationToken: token), TakeAsync,
                context.TimeProvider, logger, _stop.Token),
            CancellationToken.None);
        _refreshing = Task.Run(() => RefreshNodeAsync(_context), CancellationToken.None);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_watching, _refreshing);
        if (_context is null)
        {
            return;
        }

        await Task.WhenAll(_workers.Values.Select(w => w.StopAsync(_options.ShutdownGrace)));
        foreach (var worker in _workers.Values)
        {
            worker.Dispose();
        }

        _workers.Clear();
        await _context.Events.DisposeAsync();
        _context.Processes.Dispose();
        _context.Network.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask<IAsyncEnumerable<ReadOnlyMemory<byte>>> OpenAsync(PodLogRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var context = _context ?? throw new ApiException(503, "ServiceUnavailable", "the process runner is not running");
        return ValueTask.FromResult(PodLogs.Open(context, _workers.GetValueOrDefault(request.Uid), request, cancellationToken));
    }

    /// <summary>After <see cref="StopAsync"/>.</summary>
    public void Dispose() => _stop.Dispose();

    /// <summary>Process of the watchdog; for tests.</summary>
    internal int WatchdogPid => _context?.Processes.WatchdogPid ?? 0;

    private Task TakeAsync(WatchEvent step)
    {
        if (step.Type == WatchEventType.InitialListDone)
        {
            RemoveForeignFolders();
            return Task.CompletedTask;
        }

        var uid = step.Value.Object("metadata").Text("uid") ?? "";
        if (step.Type == WatchEventType.Deleted)
        {
            if (_workers.TryGetValue(uid, out var removed))
            {
                removed.Post(new PodMessage.Removed());
            }

            return Task.CompletedTask;
        }

        if (_workers.TryGetValue(uid, out var known))
        {
            known.Post(new PodMessage.Updated(step.Value));
        }
        else if (uid.Length > 0)
        {
            var worker = new PodWorker(_context!, step.Value);
            _workers[uid] = worker;
            _ = ForgetAsync(uid, worker);
        }

        return Task.CompletedTask;
    }

    private async Task ForgetAsync(string uid, PodWorker worker)
    {
        await worker.Completed;
        if (!_stop.IsCancellationRequested && _workers.TryRemove(uid, out _))
        {
            worker.Dispose();
        }
    }

    // Folders of pods that were deleted while this runner was not there.
    private void RemoveForeignFolders()
    {
        var folder = Path.GetDirectoryName(_context!.PodFolder("x"))!;
        foreach (var pod in Directory.Exists(folder) ? Directory.GetDirectories(folder) : [])
        {
            if (!_workers.ContainsKey(Path.GetFileName(pod)))
            {
                PodTemp.RemoveWithPod(pod);
            }
        }
    }

    private async Task RefreshNodeAsync(RunnerContext context)
    {
        using var timer = new PeriodicTimer(NodeRefresh, context.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    await NodeRegistration.WriteAsync(context.Api, _options.NodeName, context.Time, _stop.Token);
                }
                catch (ApiException error)
                {
                    LogNodeRefused(context.Logger, error);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    [LoggerMessage(20, LogLevel.Warning, "Ended {Count} processes that an earlier run had left behind")]
    private static partial void LogSwept(ILogger logger, int count);

    [LoggerMessage(21, LogLevel.Warning, "The node could not be refreshed")]
    private static partial void LogNodeRefused(ILogger logger, Exception error);
}
