using Kube.Client;

namespace Kube.Runtime;

/// <summary>What an informer caches.</summary>
/// <typeparam name="T">The kind.</typeparam>
public sealed record InformerOptions<T>
    where T : class, IKubeResource<T>
{
    /// <summary>What is watched: namespace, selectors, paging.</summary>
    public WatcherOptions Watcher { get; init; } = new();

    /// <summary>Waiting after failures.</summary>
    public BackoffOptions Backoff { get; init; } = new();

    /// <summary>Named indexes of the store; the functions must be pure.</summary>
    public IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> Indexers { get; init; } =
        new Dictionary<string, Func<T, IEnumerable<string>>>();

    /// <summary>
    /// Applied to each object before it is stored; must return an object of the same key. Use it to drop what nobody reads. The managed
    /// fields are dropped before it in any case: they are 13 to 30 % of an object, and only the API server has a use for them.
    /// </summary>
    public Func<T, T>? Transform { get; init; }

    /// <summary>Interval at which handlers see the whole store again, without a request to the API. Default none: a level-triggered
    /// controller needs it only against its own defects.</summary>
    public TimeSpan? ResyncInterval { get; init; }
}
