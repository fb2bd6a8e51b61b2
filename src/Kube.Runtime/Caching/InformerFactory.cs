using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>The informers of a process: whoever asks for the same kind and selection gets the same informer, so a kind is watched once.
/// Thread-safe.</summary>
public sealed class InformerFactory(IKubeClient client, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(Type Kind, WatcherOptions Selection), IInformer> _informers = [];
    private readonly List<Task> _tasks = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken? _running;

    /// <summary>The client that the informers use.</summary>
    public IKubeClient Client { get; } = client;

    /// <summary>The clock that the informers use.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>The loggers that the informers use.</summary>
    public ILoggerFactory Loggers { get; } = loggers;

    /// <summary>
    /// Everything runs on the thread that brings an event, none is started: a simulation decides by its seed what happens when, and a
    /// thread of its own would decide too.
    /// </summary>
    internal bool Inline { get; init; }

    /// <summary>
    /// The informer of a kind. For the same <see cref="InformerOptions{T}.Watcher"/> it is the one made before; of the options only the
    /// indexers are then taken over (transform and resync are those of the first request). Starts at once when <see cref="RunAsync"/> runs
    /// already.
    /// </summary>
    public SharedInformer<T> Get<T>(InformerOptions<T>? options = null)
        where T : class, IKubeResource<T>
    {
        options ??= new InformerOptions<T>();
        lock (_gate)
        {
            if (_informers.TryGetValue((typeof(T), options.Watcher), out var known))
            {
                var shared = (SharedInformer<T>)known;
                foreach (var (name, indexer) in options.Indexers)
                {
                    shared.EnsureIndex(name, indexer);
                }

                return shared;
            }

            var informer = new SharedInformer<T>(Client, options, Time, Loggers, Inline);
            _informers.Add((typeof(T), options.Watcher), informer);
            if (_running is { } token)
            {
                _tasks.Add(Start(() => RunOneAsync(informer, token)));
            }

            return informer;
        }
    }

    /// <summary>Runs all informers, also those asked for later, until cancelled; then returns.</summary>
    /// <remarks>
    /// Failures of the API never end it. A defect does, such as an indexer that throws: it comes out here at once, because a store that
    /// silently stopped following would be worse than a process that ends.
    /// </remarks>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_running is not null)
            {
                throw new InvalidOperationException("The informers have been started before.");
            }

            _running = cancellationToken;
            _tasks.AddRange(_informers.Values.Select(i => Start(() => RunOneAsync(i, cancellationToken))));
        }

        await using var registration = cancellationToken.Register(() => _ended.TrySetResult()).ConfigureAwait(false);
        await _ended.Task.ConfigureAwait(false);
        Task[] tasks;
        lock (_gate)
        {
            tasks = [.. _tasks];
        }

        await Task.WhenAll(tasks).ConfigureAwait(false);
    }

    /// <summary>Waits until every informer asked for so far has a complete picture.</summary>
    public Task WaitForSyncAsync(CancellationToken cancellationToken)
    {
        IInformer[] informers;
        lock (_gate)
        {
            informers = [.. _informers.Values];
        }

        return Task.WhenAll(informers.Select(i => i.WaitForSyncAsync(cancellationToken)));
    }

    private Task Start(Func<Task> run) => Inline ? run() : Task.Run(run, CancellationToken.None);

    private async Task RunOneAsync(IInformer informer, CancellationToken cancellationToken)
    {
        try
        {
            await informer.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
    }

    /// <summary>Takes the informers out of the metrics; cancel <see cref="RunAsync"/> first.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var informer in _informers.Values.OfType<IDisposable>())
            {
                informer.Dispose();
            }
        }
    }
}
