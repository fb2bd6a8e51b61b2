using Berth.Operator;

namespace Berth.Local.Hosting;

/// <summary>Waits until a person can sign in and get a workspace.</summary>
internal static class Readiness
{
    /// <exception cref="LocalConfigurationException">A part ended on its own before it was ready.</exception>
    public static async Task WaitAsync(IServiceProvider services, TimeProvider clock, CancellationToken cancellationToken)
    {
        var operatorHost = services.GetRequiredService<OperatorHost>();
        var edge = services.GetRequiredService<Edge.IEdgeStatus>();
        var lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        while (!(operatorHost.IsReady && operatorHost.IsLeading && edge.NotReadyBecause().Count == 0))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (either.IsCancellationRequested)
            {
                throw new LocalConfigurationException(["a part of it ended before it was ready; the lines above say which, and why."]);
            }
        }
    }
}
