using System.Diagnostics.Metrics;

namespace Berth.Accounts;

/// <summary>Figures of the vault, meter <c>Berth.Vault</c>. No label names a person or a token.</summary>
internal sealed class VaultMetrics : IDisposable
{
    private readonly Meter _meter = new("Berth.Vault");
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _refreshes;
    private readonly Counter<long> _revocations;
    private long _behind;

    public VaultMetrics()
    {
        _requests = _meter.CreateCounter<long>("berth.vault.requests", "{request}", "Access tokens asked for, by outcome and source.");
        _refreshes = _meter.CreateHistogram<double>("berth.vault.refresh.duration", "s", "Token requests to providers, by result.");
        _revocations = _meter.CreateCounter<long>("berth.vault.revocations", "{revocation}", "Providers told of a revocation, by result.");
        _meter.CreateObservableGauge(
            "berth.vault.records.behind", () => Interlocked.Read(ref _behind), "{record}", "Sealed with another key than the active one.");
    }

    public void Requested(AccessTokenOutcome outcome, string source) =>
        _requests.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()), new("source", source));

    public void Refreshed(string connection, TokenAnswerKind kind, TimeSpan took) =>
        _refreshes.Record(took.TotalSeconds, new KeyValuePair<string, object?>("connection", connection), new("result", kind.ToString()));

    public void Revoked(string connection, RevocationAnswer answer) =>
        _revocations.Add(1, new KeyValuePair<string, object?>("connection", connection), new("result", answer.ToString()));

    public void Behind(long count) => Interlocked.Exchange(ref _behind, count);

    public void Dispose() => _meter.Dispose();
}
