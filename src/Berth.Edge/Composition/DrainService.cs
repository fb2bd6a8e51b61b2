using Microsoft.AspNetCore.Connections.Features;

namespace Berth.Edge;

/// <summary>How a replica ends: section <c>Berth:Edge:Drain</c>.</summary>
public sealed record DrainOptions
{
    /// <summary>
    /// How long new connections are still taken after the end was asked for, while readiness is false and answers close their connection.
    /// The default is 5 seconds: so long may a cluster take to send new ones elsewhere.
    /// </summary>
    public TimeSpan Lead { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long what is open may go on after that. The default is 15 seconds: with the lead, the good-byes and the last writes it ends
    /// before the 30 seconds are over after which a cluster kills a pod by default. More needs terminationGracePeriodSeconds of this and
    /// 15 seconds.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the whole end may take: good-byes, and the last writes of everything else, come after lead and grace.</summary>
    internal TimeSpan Total => Lead + Grace + TimeSpan.FromSeconds(9);

    /// <summary>Adds a sentence for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        foreach (var (name, value) in new[] { ("Lead", Lead), ("Grace", Grace) })
        {
            if (value < TimeSpan.Zero || value > TimeSpan.FromHours(1))
            {
                problems.Add($"Berth:Edge:Drain:{name} is {value}; give a time up to an hour, such as 00:00:15.");
            }
        }
    }
}

/// <summary>The end of a replica, in order.</summary>
/// <remarks>
/// <code>
/// asked to end -> not ready, live pages end -> lead: still listening -> the server stops listening -> grace -> the rest is cut
///                                                                          '-- nothing is open any more: at once
/// </code>
/// WebSockets that are left get a close frame 1001 and come back to another replica.
/// </remarks>
internal sealed class DrainService(DrainOptions options, IOpenConnections connections, TimeProvider clock)
    : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _over = new();
    private Task _grace = Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(options.Lead, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _grace = CutAfterGraceAsync();
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The server has stopped: nothing is open any more.
        await _over.CancelAsync().ConfigureAwait(false);
        await _grace.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _over.Dispose();

    private async Task CutAfterGraceAsync()
    {
        await Task.Delay(options.Grace, clock, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        connections.CutAll();
    }
}

/// <summary>
/// While a replica ends, each answer also ends its connection, as its protocol does (<c>Connection: close</c>, or GOAWAY): the next
/// request goes to another one.
/// </summary>
internal sealed class DrainMiddleware(RequestDelegate next, IHostApplicationLifetime lifetime)
{
    /// <summary>Passes every request on.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested && !RequestKinds.IsUpgrade(context))
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }

        return next(context);
    }
}
