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
    private readonly Counter<long> _decisions;
    private readonly Counter<long> _credentials;
    private readonly Counter<long> _refreshes;
    private readonly Counter<long> _revocations;
    private Action? _forget;

    public EdgeMetrics()
    {
        _actions = _meter.CreateCounter<long>("berth.edge.actions", "{action}",
            "What people asked for, by action and outcome; the same as in the audit log.");
        _requests = _meter.CreateCounter<long>("berth.edge.requests", "{request}", "Answered requests, by route and class of status.");
        _duration = _meter.CreateHistogram<double>("berth.edge.request.duration", "s",
            "Time to answer a request, by route and class of status; without WebSockets and event streams, which last as long "
                + "as somebody looks.");
        _activityWrites = _meter.CreateCounter<long>("berth.edge.activity.writes", "{write}",
            "Writes of the last use of a workspace, by outcome.");
        _probes = _meter.CreateCounter<long>("berth.edge.activity.probes", "{question}",
            "Questions to applications whose stop was announced, by outcome: idle, used, failed.");
        _meter.CreateObservableCounter("berth.edge.request.bytes", Bytes.Requests, "By",
            "Bodies of requests by route, and what clients send over WebSockets to workspaces.");
        _meter.CreateObservableCounter("berth.edge.response.bytes", Bytes.Answers, "By",
            "Bodies of answers by route, streams too, and what workspaces send over WebSockets.");
        _decisions = _meter.CreateCounter<long>("berth.edge.forward.auth.decisions", "{decision}",
            "Answers to the ingress proxy: pass, sign-in, forbidden, not-found, limited, not-ready, unreadable.");
        _credentials = _meter.CreateCounter<long>("berth.edge.credentials.refused", "{credential}",
            "Tokens that were refused, by kind and reason.");
        _refreshes = _meter.CreateCounter<long>("berth.edge.session.refreshes", "{refresh}",
            "Refreshes of sessions at their provider, by outcome.");
        _revocations = _meter.CreateCounter<long>("berth.edge.revocations", "{revocation}",
            "Revocations this replica learned of, by what they end: session, person, personal-token.");
    }

    /// <summary>Bytes of bodies.</summary>
    public BodyBytes Bytes { get; } = new();

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
        var answered = StatusClass(status);
        _requests.Add(1, new("route", route), new("status", answered));
        if (duration is { } time)
        {
            _duration.Record(time.TotalSeconds, new("route", route), new("status", answered));
        }
    }

    /// <summary>Counts an answer to the ingress proxy.</summary>
    public void ForwardAuthDecided(string decision) => _decisions.Add(1, new KeyValuePair<string, object?>("decision", decision));

    /// <summary>Counts a refused credential.</summary>
    /// <param name="kind">bearer or personal-token.</param>
    /// <param name="reason">Why.</param>
    public void CredentialRefused(string kind, TokenError reason) =>
        _credentials.Add(1, new("kind", kind), new("reason", reason.ToString()));

    /// <summary>Counts a refresh of a session at its provider: <c>berth_edge_session_refreshes_total</c>.</summary>
    /// <param name="issuer">The provider's key.</param>
    /// <param name="outcome">What it came to: refreshed; refused by the rules for who may sign in; over, where the provider ended it; or
    /// unavailable, where the session goes on as it was.</param>
    public void SessionRefreshed(string issuer, string outcome) => _refreshes.Add(1, new("issuer", issuer), new("outcome", outcome));

    /// <summary>Adds the gauges over what is running.</summary>
    public void Observe(WorkspaceTable table, IOpenConnections connections, WorkspaceWatch watch, Accounts.IAccountStore accounts,
        IdentityProviders providers, TimeProvider clock)
    {
        _meter.CreateObservableGauge("berth.edge.workspaces", () => table.Count, "{workspace}", "Workspaces in the routing table.");
        _meter.CreateObservableGauge("berth.edge.streams.open", () => connections.Count, "{stream}",
            "WebSockets and event streams that are open.");
        _meter.CreateObservableGauge("berth.edge.sockets.open",
            () => new Measurement<int>[]
            {
                new(connections.WebSockets, new KeyValuePair<string, object?>("kind", "websocket")),
                new(connections.Count - connections.WebSockets, new KeyValuePair<string, object?>("kind", "event-stream")),
            },
            "{stream}", "The same by kind.");
        accounts.Revocations.Revoked += Revoked;
        _forget = () => accounts.Revocations.Revoked -= Revoked;
        KeyMetrics.Observe(_meter, providers, clock);
        _meter.CreateObservableGauge("berth.edge.watch.synced", () => watch.IsSynced ? 1 : 0, null,
            "1 once the picture of the namespace is complete.");
        _meter.CreateObservableGauge("berth.edge.revocations.current", () => accounts.Revocations.IsCurrent ? 1 : 0, null,
            "1 while revocations of other replicas arrive.");
    }

    private void Revoked(Accounts.Revocation revocation) => _revocations.Add(1, new KeyValuePair<string, object?>("of",
        revocation.SessionId is not null ? "session" : revocation.PersonalToken is not null ? "personal-token" : "person"));

    private static string StatusClass(int status) => status switch
    {
        < 200 => "1xx",
        < 300 => "2xx",
        < 400 => "3xx",
        < 500 => "4xx",
        _ => "5xx",
    };

    public void Dispose()
    {
        _forget?.Invoke();
        _meter.Dispose();
    }
}
