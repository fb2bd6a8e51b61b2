#pragma warning disable CA1720 // "object" is the name of the field in a watch frame.
namespace Kube.Client;

/// <summary>One frame of a watch. The hierarchy is closed: a <c>switch</c> over its four cases is complete.</summary>
/// <typeparam name="T">The kind watched.</typeparam>
public abstract record WatchEvent<T>
    where T : class, IKubeResource<T>
{
    private WatchEvent() { }

    /// <summary>The object came to be, came to match the selector, or is one of the initial objects.</summary>
    /// <param name="Object">Its present state.</param>
    public sealed record Added(T Object) : WatchEvent<T>;

    /// <summary>The object changed.</summary>
    /// <param name="Object">Its present state.</param>
    public sealed record Modified(T Object) : WatchEvent<T>;

    /// <summary>The object went away or no longer matches the selector.</summary>
    /// <param name="Object">Its last state; the resourceVersion is that of the deletion.</param>
    public sealed record Deleted(T Object) : WatchEvent<T>;

    /// <summary>Nothing changed, but all events up to a version have been sent.</summary>
    /// <param name="ResourceVersion">The version from which a next watch may continue.</param>
    /// <param name="InitialEventsEnd">True for the bookmark that ends the initial objects (annotation <c>k8s.io/initial-events-end</c>,
    /// KEP-3157).</param>
    public sealed record Bookmark(string ResourceVersion, bool InitialEventsEnd) : WatchEvent<T>;
}
