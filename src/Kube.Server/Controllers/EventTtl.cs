using Kube.Server.Runner;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Controllers;

/// <summary>Removes events an hour after they last happened, as an API server's default does.</summary>
internal sealed partial class EventTtl : IHostedController, IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public string Name => "event-ttl";

    public Task StartAsync(HostedControllerContext context, CancellationToken cancellationToken)
    {
        _loop = Task.Run(() => LoopAsync(context), CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public void Dispose() => _stop.Dispose();

    private async Task LoopAsync(HostedControllerContext context)
    {
        var logger = context.LoggerFactory.CreateLogger<EventTtl>();
        using var timer = new PeriodicTimer(Interval, context.TimeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var oldest = context.TimeProvider.GetUtcNow() - Life;
                foreach (var old in context.Api.List(GroupResource.Events).Items.Where(e => LastSeen(e) < oldest))
                {
                    var metadata = old.Object("metadata");
                    try
                    {
                        await context.Api.DeleteAsync(GroupResource.Events, metadata.Text("namespace"), metadata.Text("name")
                            ?? "", cancellationToken: _stop.Token);
                    }
                    catch (ApiException error) when (!error.IsNotFound)
                    {
                        LogKept(logger, error, metadata.Text("name"));
                    }
                    catch (ApiException)
                    {
                        // Somebody was quicker.
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private static DateTimeOffset? LastSeen(System.Text.Json.Nodes.JsonObject e) =>
        e.Object("series").Time("lastObservedTime") ?? e.Time("lastTimestamp") ?? e.Time("eventTime")
            ?? e.Object("metadata").Time("creationTimestamp");

    [LoggerMessage(40, LogLevel.Warning, "Event {Name} could not be removed")]
    private static partial void LogKept(ILogger logger, Exception error, string? name);
}
