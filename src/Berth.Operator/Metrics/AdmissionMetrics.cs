using System.Diagnostics.Metrics;

namespace Berth.Operator;

/// <summary>Gauges of those who wait for a ceiling, and of namespaces' budgets; of the operator that leads.</summary>
internal sealed class AdmissionMetrics : IDisposable
{
    private readonly Meter _meter = new(OperatorMetrics.MeterName);

    internal AdmissionMetrics(AdmissionLedger admissions, BudgetWatch budgets)
    {
        _meter.CreateObservableGauge(
            "berth_operator_queue_length",
            () => admissions.Waiting().Select(w =>
                new Measurement<long>(w.Waiting, new KeyValuePair<string, object?>("ceiling", w.Ceiling))),
            null,
            "Workspaces that wait, by whose ceiling it is: person, namespace, or never (more than the ceiling is).");
        _meter.CreateObservableGauge(
            "berth_operator_queue_longest_wait_seconds",
            () => admissions.Waiting().Select(w =>
                new Measurement<double>(w.Longest.TotalSeconds, new KeyValuePair<string, object?>("ceiling", w.Ceiling))),
            null,
            "How long the first of them has waited.");
        _meter.CreateObservableGauge(
            "berth_operator_budget_used_ratio",
            () => budgets.Namespaces().Where(n => n.Budget is not null).Select(n => new Measurement<double>(
                (double)(n.Micros / (n.Budget!.Value * 1_000_000m)), new KeyValuePair<string, object?>("namespace", n.Namespace))),
            null,
            "Part of a namespace's monthly budget that is used.");
    }

    public void Dispose() => _meter.Dispose();
}
