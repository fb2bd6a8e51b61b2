using System.Diagnostics.Metrics;

namespace Kube.Runtime;

/// <summary>The instruments of one work queue, under the names that client-go made customary so that existing dashboards fit.</summary>
internal sealed class WorkQueueMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly KeyValuePair<string, object?> _name;
    private readonly Counter<long> _adds;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _queued;
    private readonly Histogram<double> _worked;

    public WorkQueueMetrics(string name, Func<int> depth, Func<(double Unfinished, double Longest)> running)
    {
        // A meter per queue: disposing it takes the observable instruments, which hold the queue, out of every listener.
        _meter = new Meter(RuntimeMeter.Name);
        _name = new("name", name);
        KeyValuePair<string, object?>[] tags = [_name];
        _adds = _meter.CreateCounter<long>("workqueue_adds_total", null, "Keys added to the queue.");
        _retries = _meter.CreateCounter<long>("workqueue_retries_total", null, "Keys added with a delay or after a failure.");
        _queued = _meter.CreateHistogram<double>("workqueue_queue_duration_seconds", "s", "Time a key waited before a worker took it.");
        _worked = _meter.CreateHistogram<double>("workqueue_work_duration_seconds", "s", "Time a worker spent on a key.");
        _meter.CreateObservableGauge("workqueue_depth", () => new Measurement<int>(depth(), tags), null, "Keys waiting for a worker.");
        _meter.CreateObservableGauge(
            "workqueue_unfinished_work_seconds",
            () => new Measurement<double>(running().Unfinished, tags),
            "s",
            "Sum of the time spent so far on keys that are being worked on.");
        _meter.CreateObservableGauge(
            "workqueue_longest_running_processor_seconds",
            () => new Measurement<double>(running().Longest, tags),
            "s",
            "Time spent so far on the key that is being worked on for longest.");
    }

    public void Added() => _adds.Add(1, _name);

    public void Retried() => _retries.Add(1, _name);

    public void Taken(TimeSpan waited) => _queued.Record(waited.TotalSeconds, _name);

    public void Finished(TimeSpan worked) => _worked.Record(worked.TotalSeconds, _name);

    public void Dispose() => _meter.Dispose();
}
