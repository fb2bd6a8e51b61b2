using System.Diagnostics.Metrics;
using Polly.CircuitBreaker;

namespace Berth.Accounts;

/// <summary>Figures of the way to the database, meter <c>Berth.Accounts</c>. No label names a person.</summary>
internal sealed class AccountsMetrics : IDisposable
{
    private readonly Meter _meter = new("Berth.Accounts");
    private readonly KeyValuePair<string, object?>[] _store;
    private long _unavailable;
    private long _dropped;

    /// <summary>Makes them.</summary>
    /// <param name="store">accounts or vault: each has connections and a breaker of its own.</param>
    public AccountsMetrics(string store)
    {
        _store = [new("store", store)];

        // Observed rather than counted: there from the beginning, since no alert can see the first step of what has no series before it.
        _meter.CreateObservableCounter(
            "berth.accounts.unavailable",
            () => new Measurement<long>(Interlocked.Read(ref _unavailable), _store),
            "{operation}",
            "Operations that were given up because the database could not be used.");
        _meter.CreateObservableGauge(
            "berth.accounts.circuit.open",
            () => new Measurement<int>(Circuit.CircuitState != CircuitState.Closed ? 1 : 0, _store),
            null,
            "1 from the moment the breaker opens until an operation has succeeded again.");
    }

    /// <summary>For the breaker to tell its state.</summary>
    public CircuitBreakerStateProvider Circuit { get; } = new();

    /// <summary>Counts an operation that was given up.</summary>
    public void Unavailable() => Interlocked.Increment(ref _unavailable);

    /// <summary>Counts an audit event that is in the log only.</summary>
    public void AuditDropped() => Interlocked.Increment(ref _dropped);

    /// <summary>Adds the queue of what waits for the database.</summary>
    public void ObserveOutbox(Func<int> audit, Func<int> revocations)
    {
        _meter.CreateObservableCounter(
            "berth.accounts.audit.dropped",
            () => Interlocked.Read(ref _dropped),
            "{event}",
            "Audit events that found the queue full: they are in the log only.");
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
