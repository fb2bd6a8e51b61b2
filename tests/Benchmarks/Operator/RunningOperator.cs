using System.Diagnostics.Metrics;
using Berth.Operator;
using Kube.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace Benchmarks.Operator;

/// <summary>The operator as a program runs it, in this process, so that its memory and its requests can be counted.</summary>
internal sealed class RunningOperator : IAsyncDisposable
{
    private readonly OperatorHost _host;
    private readonly KubeClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly MeterListener _meters = new();
    private readonly Task _running;
    private long _reconciles;

    internal RunningOperator(BenchApi api, string ns, TimeProvider? time = null, int workers = 4)
    {
        time ??= TimeProvider.System;
        _client = api.NewClient(time);
        Counting = new CountingClient(_client);
        _host = new OperatorHost(
            new OperatorOptions
            {
                PublicOrigin = "http://localhost:8080",
                WorkspaceDomain = "localhost",
                Namespace = ns,
                Routing = RoutingMode.None,
                Workers = workers,
                LeaderElection = new ElectionOptions { Namespace = ns },
            },
            Counting,
            ns,
            time,
            NullLoggerFactory.Instance);
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "controller_runtime_reconcile_total")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>((_, n, _, _) => Interlocked.Add(ref _reconciles, n));
        _meters.Start();
        _running = Task.Run(() => _host.RunAsync(_stop.Token));
    }

    internal CountingClient Counting { get; }

    internal long Reconciles => Interlocked.Read(ref _reconciles);

    internal bool IsReady => _host.IsReady;

    internal async Task UntilAsync(Func<RunningOperator, bool> condition, TimeSpan deadline)
    {
        using var stop = new CancellationTokenSource(deadline);
        while (!condition(this))
        {
            if (_running.IsFaulted)
            {
                await _running;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stop.Token);
        }
    }

    /// <summary>Waits until it has had nothing to do for a while.</summary>
    internal async Task UntilQuietAsync(TimeSpan deadline)
    {
        using var stop = new CancellationTokenSource(deadline);
        long last;
        do
        {
            last = Reconciles;
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, stop.Token);
        }
        while (Reconciles != last);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _host.Dispose();
        _client.Dispose();
        _meters.Dispose();
        _stop.Dispose();
    }
}
