using System.Diagnostics.Metrics;
using Polly.CircuitBreaker;

namespace Berth.Accounts;

/// <summary>Figures of the way to the database, meter <c>Berth.Accounts</c>. No label names a person.</summary>
internal sealed class AccountsMetrics : IDisposable
{
    private readonly Meter _meter = new("Berth.Accounts");
    private readonly KeyValuePair<string, object?>[] _store;
    private readonly Counter<long> _unavailable;
    private readonly Counter<long> _dropped;

    /// <summary>Makes them.</summary>
    /// <param name="store">accounts or vault: each has connections and a breaker of its own.</param>
    public AccountsMetrics(string store)
    {
        _store = [new("store", store)];
        _unavailable = _meter.CreateCounter<long>(
            "berth.accounts.unavailable", "{operation}", "Operations that were given up because the database could not be used.");
        _dropped = _meter.CreateCounter<long>(
            "berth.accounts.audit.dropped", "{event}", "Audit events that found the queue full: they are in the log only.");
        _meter.CreateObservableGauge(
            "berth.accounts.circuit.open",
            () => new Measurement<int>(Circuit.CircuitState != CircuitState.Closed ? 1 : 0, _store),
            null,
            "1 from the moment the breaker opens until an operation has succeeded again.");

        // A counter that has never counted has no series, and no alert can see its first step.
        _unavailable.Add(0, _store);
    }

    /// <summary>For the breaker to tell its state.</summary>
    public CircuitBreakerStateProvider Circuit { get; } = new();

    /// <summary>Counts an operation that was given up.</summary>
    public void Unavailable() => _unavailable.Add(1, _store);

    /// <summary>Counts an audit event that is in the log only.</summary>
    public void AuditDropped() => _dropped.Add(1);

    /// <summary>Adds the queue of what waits for the database.</summary>
    public void ObserveOutbox(Func<int> audit, Func<int> revocations)
    {
        _dropped.Add(0);
        _meter.CreateObservableGauge(
            "berth.accounts.outbox",
            () => new Measurement<int>[]
            {
                new(audit(), new KeyValuePair<string, object?>("of", "audit")),
                new(revocations(), new KeyValuePair<string, object?>("of", "revocations")),
            },
            "{record}",
            "Audit events and revocations that wait to be written.");
    }

    public void Dispose() => _meter.Dispose();
}
