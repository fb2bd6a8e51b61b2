using System.Diagnostics.Metrics;

namespace Berth.Edge;

/// <summary>The edge's own instruments. Requests, connections and runtime come from the framework's meters.</summary>
internal sealed class EdgeMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Berth.Edge";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _actions;

    public EdgeMetrics()
    {
        _actions = _meter.CreateCounter<long>("berth.edge.actions", "{action}",
            "What people asked for, by action and outcome; the same as in the audit log.");
    }

    /// <summary>Counts an action.</summary>
    public void Acted(string action, string outcome) => _actions.Add(1, new("action", action), new("outcome", outcome));

    /// <summary>Adds the gauges over what is running.</summary>
    public void Observe(WorkspaceTable table, IOpenConnections connections, WorkspaceWatch watch, Accounts.IAccountStore accounts)
    {
        _meter.CreateObservableGauge("berth.edge.workspaces", () => table.Count, "{workspace}", "Workspaces in the routing table.");
        _meter.CreateObservableGauge("berth.edge.streams.open", () => connections.Count, "{stream}",
            "WebSockets and event streams that are open.");
        _meter.CreateObservableGauge("berth.edge.watch.synced", () => watch.IsSynced ? 1 : 0, null,
            "1 once the picture of the namespace is complete.");
        _meter.CreateObservableGauge("berth.edge.revocations.current", () => accounts.Revocations.IsCurrent ? 1 : 0, null,
            "1 while revocations of other replicas arrive.");
    }

    public void Dispose() => _meter.Dispose();
}
