using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>All providers, and the service that keeps them fresh.</summary>
internal sealed class IdentityProviders : BackgroundService, IEdgeReadiness
{
    // Providers publish a new key well before they sign with it; ten minutes finds it in time, and an unknown kid finds it at once.
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(60);
    private readonly TimeProvider _clock;

    /// <summary>Makes the providers of the settings.</summary>
    public IdentityProviders(EdgeSettings settings, OidcBackchannel backchannel, TimeProvider clock, ILogger<IdentityProviders> logger)
    {
        _clock = clock;
        All = [.. settings.Issuers.Select(i => new IdentityProvider(i, backchannel, clock, logger))];
    }

    /// <summary>In the order of configuration.</summary>
    public ImmutableArray<IdentityProvider> All { get; }

    /// <inheritdoc/>
    public bool IsReady => All.All(p => p.Current is not null);

    /// <inheritdoc/>
    public string? NotReadyBecause => All.FirstOrDefault(p => p.Current is null) is { } missing
        ? $"{missing.Settings.Issuer}: {missing.LastProblem ?? "not loaded yet"}"
        : null;

    /// <summary>By the name in /login?provider=.</summary>
    public IdentityProvider? ByKey(string key) => All.FirstOrDefault(p => p.Settings.Key == key);

    /// <summary>By issuer, exactly.</summary>
    public IdentityProvider? ByIssuer(string issuer) => All.FirstOrDefault(p => p.Settings.Issuer == issuer);

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        foreach (var provider in All)
        {
            provider.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(All.Select(p => KeepFreshAsync(p, stoppingToken)));

    private async Task KeepFreshAsync(IdentityProvider provider, CancellationToken stoppingToken)
    {
        var retry = TimeSpan.FromSeconds(1);
        try
        {
            while (true)
            {
                if (await provider.RefreshAsync(stoppingToken))
                {
                    retry = TimeSpan.FromSeconds(1);
                    await Task.Delay(RefreshInterval, _clock, stoppingToken);
                }
                else
                {
                    await Task.Delay(retry, _clock, stoppingToken);
                    retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program ends.
        }
        catch (ObjectDisposedException) when (stoppingToken.IsCancellationRequested)
        {
            // The program ends faster than a fetch.
        }
    }
}
