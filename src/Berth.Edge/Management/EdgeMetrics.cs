using System.Diagnostics.Metrics;

namespace Berth.Edge;

/// <summary>The edge's own instruments. Requests, connections and runtime come from the framework's meters.</summary>
internal sealed class EdgeMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Berth.Edge";

    private readonly Meter _meter = new(MeterName);

    public EdgeMetrics(WorkspaceTable table, IOpenConnections connections, WorkspaceWatch watch, Accounts.IAccountStore accounts)
    {
        _meter.CreateObservableGauge("berth.edge.workspaces", () => table.Count, "{workspace}", "Workspaces in the routing table.");
        _meter.CreateObservableGauge("berth.edge.streams.open", () => connections.Count, "{stream}", "WebSockets and event streams that are open.");
        _meter.CreateObservableGauge("berth.edge.watch.synced", () => watch.IsSynced ? 1 : 0, null, "1 once the picture of the namespace is complete.");
        _meter.CreateObservableGauge("berth.edge.revocations.current", () => accounts.Revocations.IsCurrent ? 1 : 0, null, "1 while revocations of other replicas arrive.");
        Wakes = _meter.CreateCounter<long>("berth.edge.wakes", "{workspace}", "Stopped workspaces started because somebody came.");
        Commands = _meter.CreateCounter<long>("berth.edge.workspace.commands", "{command}", "What people asked of workspaces, by verb and outcome.");
    }

    /// <summary>Wakes.</summary>
    public Counter<long> Wakes { get; }

    /// <summary>Commands.</summary>
    public Counter<long> Commands { get; }

    public void Dispose() => _meter.Dispose();
}
