using Kube.Client;

namespace Kube.Runtime;

/// <summary>What an <see cref="InformerEvent{T}"/> says.</summary>
public enum InformerEventKind
{
    /// <summary>The object is new to the store.</summary>
    Added,

    /// <summary>The object changed, or is replayed by a resync.</summary>
    Updated,

    /// <summary>The object is gone.</summary>
    Deleted,
}

/// <summary>A change of the store of an informer.</summary>
/// <typeparam name="T">The kind.</typeparam>
/// <param name="Kind">What happened.</param>
/// <param name="Resource">The object as it is now; for a deletion, its last known state.</param>
/// <param name="Old">The object before, for updates.</param>
/// <param name="IsInitial">The object was there before the handler: it belongs to its initial batch.</param>
/// <param name="IsResync">Nothing changed; the store is replayed.</param>
/// <param name="FinalStateUnknown">The deletion was noticed only by the object's absence: <paramref name="Resource"/> may miss its last
/// changes.</param>
public readonly record struct InformerEvent<T>(
    InformerEventKind Kind,
    T Resource,
    T? Old = null,
    bool IsInitial = false,
    bool IsResync = false,
    bool FinalStateUnknown = false)
    where T : class, IKubeResource<T>;
