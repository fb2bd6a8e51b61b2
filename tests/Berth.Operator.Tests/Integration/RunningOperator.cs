namespace Berth.Operator.Tests;

/// <summary>A further operator, at work until it is disposed.</summary>
internal sealed class RunningOperator : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    internal RunningOperator(OperatorHost host)
    {
        Host = host;
        _running = Task.Run(() => host.RunAsync(_stop.Token));
    }

    internal OperatorHost Host { get; }

    /// <summary>Ends it as SIGTERM would.</summary>
    internal async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Host.Dispose();
        _stop.Dispose();
    }
}
