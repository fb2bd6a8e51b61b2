using System.Diagnostics.Metrics;

namespace Berth.Edge;

/// <summary>Gauges over the keys of the identity providers; one series for each configured provider.</summary>
internal static class KeyMetrics
{
    /// <summary>Adds them to a meter.</summary>
    public static void Observe(Meter meter, IdentityProviders providers, TimeProvider clock)
    {
        meter.CreateObservableGauge("berth.edge.issuer.keys.age", () => providers.All.Where(p => p.KeysAt is not null).Select(p =>
            new Measurement<double>((clock.GetUtcNow() - p.KeysAt!.Value).TotalSeconds, Issuer(p))), "s",
                "Time since its keys were fetched.");
        meter.CreateObservableGauge("berth.edge.issuer.reachable", () => providers.All.Select(p =>
            new Measurement<int>(p.Current is not null && p.LastProblem is null ? 1 : 0, Issuer(p))), null,
            "1 while the last fetch of its metadata and keys worked.");
        meter.CreateObservableCounter("berth.edge.issuer.unknown.keys", () => providers.All.Select(p =>
            new Measurement<long>(p.UnknownKeys, Issuer(p))), "{token}", "Tokens that named a key it does not have.");
    }

    private static KeyValuePair<string, object?> Issuer(IdentityProvider provider) => new("issuer", provider.Settings.Key);
}
