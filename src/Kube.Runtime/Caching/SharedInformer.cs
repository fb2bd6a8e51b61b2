using System.Collections.Immutable;
using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>What informers of all kinds have in common.</summary>
public interface IInformer
{
    /// <summary>The kind it watches.</summary>
    ResourceDescriptor Descriptor { get; }

    /// <summary>True once the store holds a complete picture.</summary>
    bool HasSynced { get; }

    /// <summary>How far the store has followed the server; null before the first picture.</summary>
    string? LastResourceVersion { get; }

    /// <summary>
    /// How long watching has failed again and again without anything coming through; zero while it works. A watch that works and brings
    /// nothing is not broken.
    /// </summary>
    TimeSpan BrokenFor { get; }

    /// <summary>Waits for <see cref="HasSynced"/>.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Watches until cancelled, then returns. May be called once.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>One watch of a kind, a store that follows it, and any number of handlers that see each change of the store.</summary>
/// <remarks>
/// Guarantees: a handler sees the changes of an object in order and none twice; a handler that comes late first gets everything that is
/// there; what was deleted while nobody watched is reported with <see cref="InformerEvent{T}.FinalStateUnknown"/>; the store changes
/// before handlers hear of it; slow handlers delay nobody. Caveat: a handler may see an object that the store no longer holds; read the
/// store, not the event, when acting.
/// </remarks>
/// <typeparam name="T">The kind.</typeparam>
public sealed class SharedInformer<T> : IInformer, IDisposable
    where T : class, IKubeResource<T>
{
    private readonly Lock _gate = new();
    private readonly IKubeClient _client;
    private readonly InformerOptions<T> _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly InformerMetrics _metrics;
    private readonly Store<T> _store;
    private readonly WatchHealth _health;
    private readonly bool _inline;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // All below under _gate.
    private readonly List<Task> _pumps = [];
    private ImmutableArray<InformerHandler<T>> _handlers = [];
    private CancellationToken? _running;
    private volatile string? _version;

    // UTC ticks; 0 for none.
    private long _contact;

    /// <summary>Creates an informer; nothing happens before <see cref="RunAsync"/>.</summary>
    public SharedInformer(IKubeClient client, InformerOptions<T> options, TimeProvider time, ILoggerFactory loggers)
        : this(client, options, time, loggers, inline: false)
    {
    }

    /// <inheritdoc cref="InformerFactory.Inline"/>
    internal SharedInformer(IKubeClient client, InformerOptions<T> options, TimeProvider time, ILoggerFactory loggers, bool inline)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        _client = client;
        _options = options;
        _inline = inline;
        _time = time;
        _logger = loggers.CreateLogger("Kube.Runtime.Informer");
        _store = new Store<T>(options.Indexers, inline ? ReproducibleKeyComparer.Instance : EqualityComparer<ResourceKey>.Default);
        _health = new WatchHealth(time);
        _metrics = new InformerMetrics(T.Descriptor.Plural, () => _store.Count, () => _version, _health);
    }

    /// <summary>What is known. Complete once <see cref="HasSynced"/>.</summary>
    public IStore<T> Store => _store;

    /// <inheritdoc/>
    public ResourceDescriptor Descriptor => T.Descriptor;

    /// <inheritdoc/>
    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <inheritdoc/>
    public string? LastResourceVersion => _version;

    /// <summary>
    /// When the server last brought something, a bookmark included; null before that and after a failure. Servers send a bookmark each
    /// minute, so an older time means a connection that nobody serves, however open it looks.
    /// </summary>
    public DateTimeOffset? LastContact =>
        Interlocked.Read(ref _contact) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <inheritdoc/>
    public TimeSpan BrokenFor => _health.BrokenFor;

    /// <inheritdoc/>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    /// <summary>Adds an index to the store; may be called at any time, and for the same name more than once (the first counts).</summary>
    public void EnsureIndex(string name, Func<T, IEnumerable<string>> indexer) => _store.EnsureIndex(name, indexer);

    /// <summary>Adds a handler. An exception in it is logged and the next event delivered.</summary>
    public IInformerHandler AddHandler(Action<InformerEvent<T>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddHandler((e, _) =>
        {
            handler(e);
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Adds a handler that may wait; it gets the next event when it is done with this one.</summary>
    public IInformerHandler AddHandler(Func<InformerEvent<T>, CancellationToken, ValueTask> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var added = new InformerHandler<T>(handler, Remove, _logger, _inline);
        lock (_gate)
        {
            _handlers = _handlers.Add(added);
            if (HasSynced)
            {
                foreach (var obj in _store.List())
                {
                    added.Post(new(InformerEventKind.Added, obj, IsInitial: true));
                }

                added.PostSynced();
            }

            if (_running is { } token)
            {
                _pumps.Add(Start(() => added.RunAsync(token)));
            }
        }

        return added;
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_running is not null)
            {
                throw new InvalidOperationException($"The informer of {T.Descriptor.Plural} has been started before.");
            }

            _running = cancellationToken;
            _pumps.AddRange(_handlers.Select(h => Start(() => h.RunAsync(cancellationToken))));
        }

        var resync = ResyncAsync(cancellationToken);
        try
        {
            await FollowAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }

        Task[] pumps;
        lock (_gate)
        {
            pumps = [.. _pumps, resync];
        }

        await Task.WhenAll(pumps).ConfigureAwait(false);
    }

    /// <summary>Takes the informer out of the metrics; cancel <see cref="RunAsync"/> first.</summary>
    public void Dispose() => _metrics.Dispose();

    private Task Start(Func<Task> run) => _inline ? run() : Task.Run(run, CancellationToken.None);

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var events = new Watcher<T>(_client, _options.Watcher, _time).RunAsync(cancellationToken).WithBackoff(
            _inline ? _options.Backoff with { Jitter = 0 } : _options.Backoff, _time, cancellationToken);

        // Not null while a new picture is being put together.
        Dictionary<ResourceKey, T>? picture = null;
        await foreach (var e in events.ConfigureAwait(false))
        {
            if (e.Kind != WatcherEventKind.Init)
            {
                Interlocked.Exchange(ref _contact, e.Kind == WatcherEventKind.Failed ? 0 : _time.GetUtcNow().UtcTicks);
            }

            if (e.Kind is not (WatcherEventKind.Failed or WatcherEventKind.Init))
            {
                _health.Heard();
            }

            switch (e.Kind)
            {
                case WatcherEventKind.Init:
                    CachingLog.Relisting(_logger, T.Descriptor.Plural);
                    picture = [];
                    break;
                case WatcherEventKind.InitApply:
                    picture![e.Resource!.Key()] = Prepare(e.Resource!);
                    break;
                case WatcherEventKind.InitDone:
                    Replace(picture!, e.ResourceVersion);
                    picture = null;
                    break;
                case WatcherEventKind.Delete when picture is not null:
                    picture.Remove(e.Resource!.Key());
                    break;
                case WatcherEventKind.Apply:
                    Apply(Prepare(e.Resource!), e.ResourceVersion);
                    break;
                case WatcherEventKind.Delete:
                    Delete(Prepare(e.Resource!), e.ResourceVersion);
                    break;
                case WatcherEventKind.Progress:
                    _version = e.ResourceVersion;
                    break;
                default:
                    Failed(e.Error!);
                    break;
            }
        }
    }

    private void Failed(Exception error)
    {
        var reason = error is KubeException k ? k.Status.Reason ?? "Unknown" : error.GetType().Name;
        _metrics.Restarted(reason);
        _health.Failed();
        CachingLog.WatchFailed(_logger, T.Descriptor.Plural, error.Message);
    }

    private T Prepare(T obj)
    {
        if (_options.Transform is not { } transform)
        {
            return obj;
        }

        try
        {
            return transform(obj);
        }
        catch (Exception e)
        {
            CachingLog.TransformFailed(_logger, T.Descriptor.Plural, obj.Key(), e);
            return obj;
        }
    }

    private void Replace(Dictionary<ResourceKey, T> picture, string? version)
    {
        lock (_gate)
        {
            var initial = !HasSynced;
            var old = _store.Replace(picture.Values);
            _version = version;
            foreach (var (key, obj) in picture)
            {
                if (!old.TryGetValue(key, out var before))
                {
                    Dispatch(new(InformerEventKind.Added, obj, IsInitial: initial));
                }
                else if (before.Metadata.Uid != obj.Metadata.Uid)
                {
                    // Deleted and created again under the same name: two objects, not one that changed.
                    Dispatch(new(InformerEventKind.Deleted, before, FinalStateUnknown: true));
                    Dispatch(new(InformerEventKind.Added, obj));
                }
                else if (before.Metadata.ResourceVersion != obj.Metadata.ResourceVersion)
                {
                    Dispatch(new(InformerEventKind.Updated, obj, before));
                }
            }

            var gone = 0;
            foreach (var (key, obj) in old)
            {
                if (!picture.ContainsKey(key))
                {
                    gone++;
                    Dispatch(new(InformerEventKind.Deleted, obj, FinalStateUnknown: true));
                }
            }

            foreach (var handler in _handlers)
            {
                handler.PostSynced();
            }

            if (gone > 0)
            {
                CachingLog.MissedDeletions(_logger, gone, T.Descriptor.Plural);
            }

            if (_synced.TrySetResult())
            {
                CachingLog.Synced(_logger, T.Descriptor.Plural, picture.Count, version);
            }
        }
    }

    private void Apply(T obj, string? version)
    {
        lock (_gate)
        {
            var old = _store.Put(obj);
            _version = version;
            Dispatch(old is null ? new(InformerEventKind.Added, obj) : new(InformerEventKind.Updated, obj, old));
        }
    }

    private void Delete(T obj, string? version)
    {
        lock (_gate)
        {
            var old = _store.Remove(obj.Key());
            _version = version;
            if (old is not null)
            {
                Dispatch(new(InformerEventKind.Deleted, obj));
            }
        }
    }

    private async Task ResyncAsync(CancellationToken cancellationToken)
    {
        if (_options.ResyncInterval is not { } interval)
        {
            return;
        }

        using var timer = new PeriodicTimer(interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                lock (_gate)
                {
                    foreach (var obj in _store.List())
                    {
                        Dispatch(new(InformerEventKind.Updated, obj, obj, IsResync: true));
                    }
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The informer ends.
        }
    }

    /// <summary>Under the lock: only queues, no handler runs here.</summary>
    private void Dispatch(InformerEvent<T> e)
    {
        foreach (var handler in _handlers)
        {
            handler.Post(e);
        }
    }

    private void Remove(InformerHandler<T> handler)
    {
        lock (_gate)
        {
            _handlers = _handlers.Remove(handler);
        }
    }
}
