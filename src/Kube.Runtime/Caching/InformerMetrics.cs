using System.Diagnostics.Metrics;
using System.Globalization;

namespace Kube.Runtime;

/// <summary>The instruments of one informer.</summary>
internal sealed class InformerMetrics : IDisposable
{
    private readonly Meter _meter = new(RuntimeMeter.Name);
    private readonly KeyValuePair<string, object?> _kind;
    private readonly Counter<long> _restarts;

    public InformerMetrics(string kind, Func<int> count, Func<string?> version, WatchHealth health)
    {
        _kind = new("kind", kind);
        KeyValuePair<string, object?>[] tags = [_kind];
        _restarts = _meter.CreateCounter<long>("watch_restarts_total", null, "Watches and lists that failed and were begun again.");
        _meter.CreateObservableGauge("store_objects", () => new Measurement<int>(count(), tags), null, "Objects in the store.");
        _meter.CreateObservableGauge(
            "store_resource_version",
            () => double.TryParse(version(), CultureInfo.InvariantCulture, out var v) ? [new Measurement<double>(v, tags)]
                : Array.Empty<Measurement<double>>(),
            null,
            "How far the store has followed the server.");
        _meter.CreateObservableGauge("watch_broken_seconds", () => new Measurement<double>(health.BrokenFor.TotalSeconds, tags), null,
            "How long watching has failed without anything coming through; 0 while it works.");
        _meter.CreateObservableGauge(
            "watch_last_heard_timestamp_seconds",
            () => health.LastHeard is { } at ? [new Measurement<double>(at.ToUnixTimeSeconds(), tags)] : Array.Empty<Measurement<double>>(),
            null,
            "Unix time at which a list or watch brought something last.");
    }

    public void Restarted(string reason) => _restarts.Add(1, _kind, new("reason", reason));

    public void Dispose() => _meter.Dispose();
}
