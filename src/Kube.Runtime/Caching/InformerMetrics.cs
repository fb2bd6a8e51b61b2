using System.Diagnostics.Metrics;
using System.Globalization;

namespace Kube.Runtime;

/// <summary>The instruments of one informer.</summary>
internal sealed class InformerMetrics : IDisposable
{
    private readonly Meter _meter = new(RuntimeMeter.Name);
    private readonly KeyValuePair<string, object?> _kind;
    private readonly Counter<long> _restarts;

    public InformerMetrics(string kind, Func<int> count, Func<string?> version)
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
    }

    public void Restarted(string reason) => _restarts.Add(1, _kind, new("reason", reason));

    public void Dispose() => _meter.Dispose();
}
