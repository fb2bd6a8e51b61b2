namespace Berth.Local.Hosting;

/// <summary>
/// In the place of the host's own lifetime, which stops its application by itself at Ctrl-C: here <see cref="Program"/> takes the signals,
/// and the parts end in their order.
/// </summary>
internal sealed class NoSignals : IHostLifetime
{
    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
