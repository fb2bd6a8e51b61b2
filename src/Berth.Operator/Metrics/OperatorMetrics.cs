using System.Diagnostics.Metrics;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>The operator's own instruments (meter <c>Berth.Operator</c>), beside those of Kube.Runtime.</summary>
internal sealed class OperatorMetrics : IDisposable
{
    internal const string MeterName = "Berth.Operator";

    // From a warm start to an image that has to be pulled first.
    private static readonly double[] StartBuckets = [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];

    private readonly Meter _meter = new(MeterName);
    private volatile IReadOnlyList<(string Kind, string Action, int Count)> _lastOrphans = [];
    private readonly Counter<long> _writes;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _phases;
    private readonly Counter<long> _stops;
    private readonly Histogram<double> _starts;

    internal OperatorMetrics(Func<IEnumerable<UserWorkspace>> workspaces)
    {
        _writes = _meter.CreateCounter<long>("berth_operator_writes_total", null, "Writes to the API by what they do.");
        _refusals = _meter.CreateCounter<long>("berth_operator_refusals_total", null,
            "Writes that the API refused, by part of the workspace.");
        _failures = _meter.CreateCounter<long>("berth_operator_failures_total", null, "Failures of workspaces by class and reason.");
        _phases = _meter.CreateCounter<long>("berth_operator_transitions_total", null,
            "Transitions of workspaces by the phase they entered.");
        _stops = _meter.CreateCounter<long>("berth_operator_stops_total", null, "Workspaces that came to rest, by who asked last and why.");
        _starts = _meter.CreateHistogram(
            "berth_operator_start_seconds",
            "s",
            "Time from the wish to a workspace that answers.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = StartBuckets });
        _meter.CreateObservableGauge(
            "berth_operator_orphans",
            () => _lastOrphans.Select(o =>
                new Measurement<long>(o.Count, new("kind", o.Kind), new KeyValuePair<string, object?>("action", o.Action))),
            null,
            "Objects of no workspace that the last sweep found, by what it did.");
        _meter.CreateObservableGauge(
            "berth_operator_workspaces",
            () => workspaces().GroupBy(w => w.Status?.Phase ?? WorkspacePhases.Pending)
                .Select(g => new Measurement<long>(g.Count(), new KeyValuePair<string, object?>("phase", g.Key))),
            null,
            "Workspaces by phase.");

        // Types, states and reasons are words of our own: a few dozen series however many workspaces there are.
        _meter.CreateObservableGauge(
            "berth_operator_conditions",
            () => workspaces().SelectMany(w => w.Status?.Conditions ?? []).GroupBy(c => (c.Type, c.Status, c.Reason))
                .Select(g => new Measurement<long>(g.Count(), new("type", g.Key.Type), new("status", g.Key.Status),
                    new KeyValuePair<string, object?>("reason", g.Key.Reason))),
            null,
            "Workspaces by condition, its status and its reason.");
    }

    /// <summary>A workspace came to rest: by whom and why.</summary>
    internal void Stopped(WorkspaceRequest? request) =>
        _stops.Add(1, new("by", request?.By ?? "none"), new KeyValuePair<string, object?>("reason", request?.Reason ?? "none"));

    /// <summary>What the last sweep found.</summary>
    internal void Orphans(IReadOnlyCollection<Orphan> orphans) => _lastOrphans =
        [.. orphans.GroupBy(o => (o.Object.Kind, o.Action)).Select(g => (g.Key.Kind, g.Key.Action.ToString(), g.Count()))];

    internal void Wrote(Step step) => _writes.Add(1, new KeyValuePair<string, object?>("step", step.GetType().Name));

    internal void Refused(ChildPart part) => _refusals.Add(1, new KeyValuePair<string, object?>("part", part.ToString()));

    internal void StatusWritten(UserWorkspaceStatus? former, UserWorkspaceStatus status)
    {
        _writes.Add(1, new KeyValuePair<string, object?>("step", "Status"));
        if (former?.Phase != status.Phase)
        {
            _phases.Add(1, new KeyValuePair<string, object?>("phase", status.Phase));
            if (status is { Phase: WorkspacePhases.Running, Start: { RequestedAt: { } asked, ReadyAt: { } ready } })
            {
                _starts.Record(Math.Max(0, (ready - asked).TotalSeconds), new KeyValuePair<string, object?>("path", status.Start.Path));
            }
        }

        if (status.Failure is { } failure
            && (failure.Reason != former?.Failure?.Reason || failure.Attempts > (former?.Failure?.Attempts ?? 0)))
        {
            _failures.Add(1, new("class", failure.Class), new KeyValuePair<string, object?>("reason", failure.Reason));
        }
    }

    public void Dispose() => _meter.Dispose();
}
