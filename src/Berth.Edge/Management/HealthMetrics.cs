using System.Diagnostics.Metrics;

namespace Berth.Edge;

/// <summary>Gauges of what runs out: keys, certificates, files that may be open, and this replica's signs of life.</summary>
internal sealed class HealthMetrics : IDisposable
{
    private readonly Meter _meter = new(EdgeMetrics.MeterName);
    private volatile CertificateFiles? _certificate;

    public HealthMetrics(KeyAges keys, ActivityLease lease, ActivityService activity, TimeProvider clock)
    {
        _meter.CreateObservableGauge(
            "berth.edge.key.age",
            () => keys.FirstUses.Select(k =>
                new Measurement<double>((clock.GetUtcNow() - k.Value).TotalSeconds, new KeyValuePair<string, object?>("kind", k.Key))),
            "s",
            "Time since the key that is in use was used first, by any replica: session, identity, vault, vault-fingerprint.");
        _meter.CreateObservableGauge(
            "berth.edge.certificate.expires.timestamp",
            () => _certificate is { } files
                ? [new Measurement<long>(new DateTimeOffset(files.Current().TargetCertificate.NotAfter).ToUnixTimeSeconds())]
                : Array.Empty<Measurement<long>>(),
            "s",
            "Unix time at which the certificate of the public listener ends; absent where TLS ends before the edge.");
        _meter.CreateObservableGauge(
            "berth.edge.activity.lease.age",
            () => (clock.GetUtcNow() - lease.RenewedAt).TotalSeconds,
            "s",
            "Time since this replica renewed its Lease; silent replicas keep workspaces from being stopped.");
        _meter.CreateObservableGauge(
            "berth.edge.activity.written.age",
            () => activity.Claim.WrittenUntil is { } until
                ? [new Measurement<double>((clock.GetUtcNow() - until).TotalSeconds)] : Array.Empty<Measurement<double>>(),
            "s",
            "Age of the time up to which all use that this replica saw is written.");
        _meter.CreateObservableGauge(
            "process_open_fds", () => OpenFiles.Count() is { } count ? [new Measurement<long>(count)] : Array.Empty<Measurement<long>>(),
            null, "Files and sockets that are open.");
        _meter.CreateObservableGauge(
            "process_max_fds", () => OpenFiles.Limit() is { } most ? [new Measurement<long>(most)] : Array.Empty<Measurement<long>>(),
            null, "How many may be: a forwarded WebSocket has two.");
    }

    /// <summary>The certificate of the public listener.</summary>
    public void Observe(CertificateFiles certificate) => _certificate = certificate;

    public void Dispose() => _meter.Dispose();
}
