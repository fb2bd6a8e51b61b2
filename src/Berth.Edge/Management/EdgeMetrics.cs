using System.Diagnostics.Metrics;

namespace Berth.Edge;

/// <summary>The edge's own instruments. Requests, connections and runtime come from the framework's meters.</summary>
internal sealed class EdgeMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Berth.Edge";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _actions;
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _activityWrites;
    private readonly Counter<long> _probes;

    public EdgeMetrics()
    {
        _actions = _meter.CreateCounter<long>("berth.edge.actions", "{action}",
            "What people asked for, by action and outcome; the same as in the audit log.");
        _requests = _meter.CreateCounter<long>("berth.edge.requests", "{request}", "Answered requests, by route and class of status.");
        _duration = _meter.CreateHistogram<double>("berth.edge.request.duration", "s",
            "Time to answer a request, by route; without WebSockets and event streams, which last as long as somebody looks.");
        _activityWrites = _meter.CreateCounter<long>("berth.edge.activity.writes", "{write}",
            "Writes of the last use of a workspace, by outcome.");
        _probes = _meter.CreateCounter<long>("berth.edge.activity.probes", "{question}",
            "Questions to applications whose stop was announced, by outcome: idle, used, failed.");
    }

    /// <summary>Counts a write of use.</summary>
    public void ActivityWritten(string outcome) => _activityWrites.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>Counts a question to an application.</summary>
    public void Probed(string outcome) => _probes.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>Counts an action.</summary>
    public void Acted(string action, string outcome) => _actions.Add(1, new("action", action), new("outcome", outcome));

    /// <summary>Counts an answer.</summary>
    /// <param name="route">One of <see cref="RequestMetrics"/>'s names.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="duration">How long it took; null for a stream.</param>
    public void Answered(string route, int status, TimeSpan? duration)
    {
        _requests.Add(1, new("route", route), new("status", StatusClass(status)));
        if (duration is { } time)
        {
            _duration.Record(time.TotalSeconds, new KeyValuePair<string, object?>("route", route));
        }
    }

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

    private static string StatusClass(int status) => status switch
    {
        < 200 => "1xx",
        < 300 => "2xx",
        < 400 => "3xx",
        < 500 => "4xx",
        _ => "5xx",
    };

    public void Dispose() => _meter.Dispose();
}
