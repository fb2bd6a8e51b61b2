using System.Diagnostics.Metrics;

namespace Kube.Runtime;

/// <summary>The instruments of one controller, under the names of controller-runtime so that existing dashboards fit.</summary>
internal sealed class ControllerMetrics : IDisposable
{
    private readonly Meter _meter = new(RuntimeMeter.Name);
    private readonly KeyValuePair<string, object?> _controller;
    private readonly Counter<long> _total;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _terminal;
    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<int> _active;

    public ControllerMetrics(string controller)
    {
        _controller = new("controller", controller);
        _total = _meter.CreateCounter<long>("controller_runtime_reconcile_total", null, "Reconciles by result.");
        _errors = _meter.CreateCounter<long>("controller_runtime_reconcile_errors_total", null, "Reconciles that failed.");
        _terminal = _meter.CreateCounter<long>("controller_runtime_terminal_reconcile_errors_total", null,
            "Reconciles that failed for good.");
        _duration = _meter.CreateHistogram<double>("controller_runtime_reconcile_time_seconds", "s", "Duration of reconciles.");
        _active = _meter.CreateUpDownCounter<int>("controller_runtime_active_workers", null, "Reconciles running now.");
    }

    public void Began() => _active.Add(1, _controller);

    public void Ended(string result, TimeSpan duration)
    {
        _active.Add(-1, _controller);
        _duration.Record(duration.TotalSeconds, _controller);
        _total.Add(1, _controller, new("result", result));
        if (result is ReconcileOutcome.Error or ReconcileOutcome.Terminal)
        {
            _errors.Add(1, _controller);
        }

        if (result == ReconcileOutcome.Terminal)
        {
            _terminal.Add(1, _controller);
        }
    }

    public void Dispose() => _meter.Dispose();
}

/// <summary>Values of the metrics' <c>result</c> tag.</summary>
internal static class ReconcileOutcome
{
    public const string Success = "success";
    public const string RequeueAfter = "requeue_after";
    public const string Error = "error";
    public const string Terminal = "terminal_error";
    public const string Cancelled = "cancelled";
}
