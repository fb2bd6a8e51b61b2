using System.Diagnostics.Metrics;

namespace Berth.Operator;

/// <summary>A count of a pool's pods.</summary>
/// <param name="Namespace">Namespace of the template.</param>
/// <param name="Template">Its name.</param>
/// <param name="Size">How many should wait.</param>
/// <param name="Ready">How many do, and can be claimed.</param>
/// <param name="Starting">How many are on their way.</param>
/// <param name="Failing">How many do not come up.</param>
/// <param name="Outdated">How many are to be replaced: of an earlier revision, or too old.</param>
internal sealed record PoolCount(string Namespace, string Template, int Size, int Ready, int Starting, int Failing, int Outdated);

/// <summary>Instruments of the warm pools, in the operator's meter.</summary>
internal sealed class WarmMetrics : IDisposable
{
    // Around the target of 0.2 s.
    private static readonly double[] ClaimBuckets = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5];

    private readonly Meter _meter = new(OperatorMetrics.MeterName);
    private readonly Counter<long> _claims;
    private readonly Histogram<double> _durations;

    internal WarmMetrics(Func<IEnumerable<PoolCount>> pools)
    {
        _claims = _meter.CreateCounter<long>("berth_operator_warm_claims_total", null,
            "Starts by whether they took a waiting pod, and why not.");
        _durations = _meter.CreateHistogram(
            "berth_operator_claim_seconds", "s", "Time from the decision to start until pod and volume are claimed.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = ClaimBuckets });
        _meter.CreateObservableGauge(
            "berth_operator_pool_size", () => pools().Select(Size), null, "Pods that should wait, by template.");
        _meter.CreateObservableGauge(
            "berth_operator_pool_pods",
            () => pools().SelectMany(p => (Measurement<long>[])
                [
                    Pods(p, p.Ready, "ready"), Pods(p, p.Starting, "starting"), Pods(p, p.Failing, "failing"),
                    Pods(p, p.Outdated, "outdated"),
                ]),
            null,
            "Pods that wait, by template and state.");
    }

    internal void Warm(TimeSpan took)
    {
        _claims.Add(1, new("result", "warm"), new KeyValuePair<string, object?>("reason", ""));
        _durations.Record(took.TotalSeconds);
    }

    internal void Cold(string reason)
    {
        if (reason != WarmChoice.NoPool)
        {
            _claims.Add(1, new("result", "cold"), new KeyValuePair<string, object?>("reason", reason));
        }
    }

    public void Dispose() => _meter.Dispose();

    private static Measurement<long> Size(PoolCount pool) =>
        new(pool.Size, new("namespace", pool.Namespace), new KeyValuePair<string, object?>("template", pool.Template));

    private static Measurement<long> Pods(PoolCount pool, long value, string state) =>
        new(value, new("namespace", pool.Namespace), new("template", pool.Template), new KeyValuePair<string, object?>("state", state));
}
