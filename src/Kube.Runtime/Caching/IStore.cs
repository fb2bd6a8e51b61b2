using Kube.Client;

namespace Kube.Runtime;

/// <summary>What an informer knows of one kind. Reads are lock-free and see one consistent moment each; objects are shared and
/// immutable.</summary>
/// <typeparam name="T">The kind.</typeparam>
public interface IStore<T>
    where T : class, IKubeResource<T>
{
    /// <summary>Number of objects.</summary>
    int Count { get; }

    /// <summary>The object, or null when it is not (yet, or any more) known.</summary>
    T? Get(ResourceKey key);

    /// <summary>All objects, in no order.</summary>
    IReadOnlyCollection<T> List();

    /// <summary>The objects of a namespace, by way of an index that every store has.</summary>
    IReadOnlyList<T> ListNamespace(string ns);

    /// <summary>The objects for which an index has a value.</summary>
    /// <exception cref="ArgumentException">There is no index of that name.</exception>
    IReadOnlyList<T> ByIndex(string index, string value);
}
