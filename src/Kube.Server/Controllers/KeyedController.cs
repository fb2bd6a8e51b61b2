using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Controllers;

/// <summary>
/// A controller that turns what happens in some collections into keys, and brings one key after the other to where it should be.
/// A key waits in the queue once, however often it is named; one that fails is tried again after a pause.
/// </summary>
internal abstract partial class KeyedController : IHostedController, IDisposable
{
    // A refusal is nearly always a write that came too late; a second lets the rest of the system go on.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Channel<string> _queue = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly HashSet<string> _waiting = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private CancellationTokenSource? _stop;
    private EventRecorder? _events;
    private Task _work = Task.CompletedTask;

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>Source of its events.</summary>
    protected virtual string Component => Name;

    protected EventRecorder Events => _events!;

    protected IClusterApi Api { get; private set; } = null!;

    protected TimeProvider Time { get; private set; } = TimeProvider.System;

    protected ILogger Logger { get; private set; } = null!;

    protected string DataDirectory { get; private set; } = "";

    /// <inheritdoc/>
    public async Task StartAsync(HostedControllerContext context, CancellationToken cancellationToken)
    {
        Api = context.Api;
        Time = context.TimeProvider;
        Logger = context.LoggerFactory.CreateLogger(GetType());
        DataDirectory = Path.GetFullPath(context.DataDirectory);
        _stop = new CancellationTokenSource();
        _events = new EventRecorder(Api, Component, Time, Logger);
        await PrepareAsync(cancellationToken);
        var token = _stop.Token;
        var loops = Sources.Select(s => Task.Run(() => WatchLoop.RunAsync(t => Api.WatchAsync(s.Resource, cancellationToken: t), step =>
        {
            if (step.Type != WatchEventType.InitialListDone)
            {
                foreach (var key in s.Keys(step))
                {
                    Enqueue(key);
                }
            }

            return Task.CompletedTask;
        }, Time, Logger, token), CancellationToken.None));
        _work = Task.WhenAll([.. loops, Task.Run(() => WorkAsync(token), CancellationToken.None)]);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_stop is null)
        {
            return;
        }

        await _stop.CancelAsync();
        await _work;
        await _events!.DisposeAsync();
        Dispose();
    }

    /// <summary>After <see cref="StopAsync"/>.</summary>
    public void Dispose()
    {
        _stop?.Dispose();
        _stop = null;
    }

    /// <summary>Collections to follow, and which keys a step concerns.</summary>
    protected abstract IEnumerable<(GroupResource Resource, Func<WatchEvent, IEnumerable<string>> Keys)> Sources { get; }

    /// <summary>Brings one key to where it should be. Must be safe to repeat.</summary>
    protected abstract Task ReconcileAsync(string key, CancellationToken cancellationToken);

    protected virtual Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected void Enqueue(string key)
    {
        lock (_gate)
        {
            if (_waiting.Add(key))
            {
                _queue.Writer.TryWrite(key);
            }
        }
    }

    protected void EnqueueAfter(string key, TimeSpan delay)
    {
        if (_stop is { } stop)
        {
            _ = EnqueueLaterAsync(key, delay, stop.Token);
        }
    }

    private async Task EnqueueLaterAsync(string key, TimeSpan delay, CancellationToken token)
    {
        try
        {
            await Task.Delay(delay, Time, token);
            Enqueue(key);
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task WorkAsync(CancellationToken token)
    {
        try
        {
            await foreach (var key in _queue.Reader.ReadAllAsync(token))
            {
                lock (_gate)
                {
                    _waiting.Remove(key);
                }

                try
                {
                    await ReconcileAsync(key, token);
                }
#pragma warning disable CA1031 // One object's trouble must not stop the controller.
                catch (Exception error) when (error is not OperationCanceledException || !token.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    LogRetry(Logger, error, Name, key);
                    EnqueueAfter(key, RetryAfter);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    protected static string Key(string? ns, string? name) => $"{ns}/{name}";

    protected static (string Namespace, string Name) Split(string key)
    {
        var at = key.IndexOf('/', StringComparison.Ordinal);
        return (key[..at], key[(at + 1)..]);
    }

    [LoggerMessage(30, LogLevel.Information, "{Controller}: {Key} is tried again")]
    private static partial void LogRetry(ILogger logger, Exception error, string controller, string key);
}
