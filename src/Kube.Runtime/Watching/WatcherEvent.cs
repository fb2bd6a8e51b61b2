using Kube.Client;

namespace Kube.Runtime;

/// <summary>What a <see cref="WatcherEvent{T}"/> says.</summary>
public enum WatcherEventKind
{
    /// <summary>A complete picture begins: what was known so far is about to be replaced. A picture begun earlier and not ended is
    /// void.</summary>
    Init,

    /// <summary>One object of the picture.</summary>
    InitApply,

    /// <summary>The picture is complete: objects that were known and are not in it are gone.</summary>
    InitDone,

    /// <summary>An object came or changed. Only between <see cref="InitDone"/> and the next <see cref="Init"/>.</summary>
    Apply,

    /// <summary>An object went away.</summary>
    Delete,

    /// <summary>Nothing changed up to a version (a bookmark).</summary>
    Progress,

    /// <summary>Something failed; the watcher goes on as soon as the next event is asked for. Whoever consumes it should wait a little
    /// first.</summary>
    Failed,
}

/// <summary>One step of a <see cref="Watcher{T}"/>.</summary>
/// <typeparam name="T">The kind watched.</typeparam>
/// <param name="Kind">What the event says.</param>
/// <param name="Resource">The object of InitApply, Apply and Delete.</param>
/// <param name="ResourceVersion">How far the picture reaches after InitDone, Apply, Delete and Progress.</param>
/// <param name="Error">Why, for Failed.</param>
public readonly record struct WatcherEvent<T>(WatcherEventKind Kind, T? Resource = null, string? ResourceVersion = null,
    Exception? Error = null)
    where T : class, IKubeResource<T>;
