using System.Diagnostics.Metrics;

namespace Berth.Edge;

/// <summary>Instruments of the proxy. Connections are names of the configuration; people are in no label.</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    private readonly Meter _meter = new(EdgeMetrics.MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _reviews;

    public UpstreamMetrics()
    {
        _requests = _meter.CreateCounter<long>("berth.edge.proxy.requests", "{request}",
            "Calls of the API proxy, by connection and result: the class of the API's status, or the code of the edge's own error.");
        _retries = _meter.CreateCounter<long>("berth.edge.proxy.retries", "{request}",
            "Calls that were made again with a new token, by connection.");
        _reviews = _meter.CreateCounter<long>("berth.edge.proxy.reviews", "{review}",
            "Tokens of workspaces that the API server was asked about, by outcome.");
    }

    /// <summary>Counts a call; null for a connection that is not configured.</summary>
    public void Called(string? connection, string result) =>
        _requests.Add(1, new("connection", connection ?? "unknown"), new("result", result));

    /// <summary>Counts a second try.</summary>
    public void Retried(string connection) => _retries.Add(1, new KeyValuePair<string, object?>("connection", connection));

    /// <summary>Counts a question to the API server.</summary>
    public void Reviewed(string outcome) => _reviews.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
