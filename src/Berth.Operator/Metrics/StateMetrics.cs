using System.Diagnostics.Metrics;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>Gauges that are computed when they are read: who leads, and what is used and costs, by namespace and template.</summary>
/// <remarks>Not by person: a label with a value for everybody makes as many series as there are people.</remarks>
internal sealed class StateMetrics : IDisposable
{
    private readonly Meter _meter = new(OperatorMetrics.MeterName);
    private readonly Func<IEnumerable<UserWorkspace>> _workspaces;
    private readonly Func<EffectivePolicy> _policy;
    private readonly TimeProvider _time;

    internal StateMetrics(Func<bool> leading, Func<IEnumerable<UserWorkspace>> workspaces, Func<EffectivePolicy> policy, TimeProvider time)
    {
        (_workspaces, _policy, _time) = (workspaces, policy, time);
        _meter.CreateObservableGauge("berth_operator_leader", () => leading() ? 1 : 0, null, "1 while this operator leads.");
        Usage("berth_operator_usage_cpu_core_seconds", "Core seconds of this month.", u => u.CpuSeconds);
        Usage("berth_operator_usage_memory_gib_seconds", "GiB seconds of memory of this month.", u => u.MemoryGiBSeconds);
        Usage("berth_operator_usage_gpu_seconds", "GPU seconds of this month.", u => u.GpuSeconds);
        Usage("berth_operator_usage_storage_gib_seconds", "GiB seconds of storage of this month.", u => u.StorageGiBSeconds);
        Usage("berth_operator_usage_cost_micros", "Cost of this month in millionths of the currency.", u => u.CostMicros);
        Usage("berth_operator_cost_per_hour_micros", "Cost of an hour with what is there, in millionths of the currency.",
            u => u.CostMicrosPerHour);
    }

    public void Dispose() => _meter.Dispose();

    private void Usage(string name, string description, Func<WorkspaceUsage, long?> value) => _meter.CreateObservableGauge(
        name,
        () =>
        {
            var prices = PriceTable.Of(_policy().Spec.Prices);
            var now = _time.GetUtcNow();
            return _workspaces()
                .Where(w => w.Status?.Usage is not null)
                .GroupBy(w => (w.Metadata.Namespace, w.Spec.Template.Name))
                .Select(g => new Measurement<double>(
                    g.Sum(w => (double)(value(UsageMath.Until(w.Status!.Usage!, prices, now)) ?? 0)),
                    new("namespace", g.Key.Namespace),
                    new KeyValuePair<string, object?>("template", g.Key.Name)))
                .ToList();
        },
        null,
        description);
}
