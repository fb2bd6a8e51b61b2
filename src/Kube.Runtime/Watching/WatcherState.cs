namespace Kube.Runtime;

/// <summary>Where a watcher stands. Immutable; <see cref="WatcherMachine"/> says how one follows from another.</summary>
internal abstract record WatcherState
{
    private WatcherState()
    {
    }

    /// <summary>Nothing is known, or what is known is not to be trusted.</summary>
    /// <param name="Version">Newest version ever seen: a new picture must not be older. Empty asks for the newest by quorum, 0 takes
    /// any.</param>
    public sealed record Empty(string Version) : WatcherState;

    /// <summary>A list is being read page by page.</summary>
    /// <param name="Version">The version asked for with the first page.</param>
    /// <param name="Continue">Token of the next page; null for the first.</param>
    public sealed record InitPage(string Version, string? Continue) : WatcherState;

    /// <summary>A watch that begins with the current objects (KEP-3157) is being read, up to the bookmark that ends them.</summary>
    public sealed record InitialWatch(string Version) : WatcherState;

    /// <summary>The picture is complete, no watch is open.</summary>
    public sealed record InitListed(string Version) : WatcherState;

    /// <summary>A watch is open.</summary>
    public sealed record Watching(string Version) : WatcherState;
}

/// <summary>What can happen to a watcher.</summary>
internal abstract record WatcherInput
{
    private WatcherInput()
    {
    }

    /// <summary>The next request goes out.</summary>
    /// <param name="Streaming">Whether the first picture comes by a watch instead of a list.</param>
    public sealed record Begin(bool Streaming) : WatcherInput;

    /// <summary>A page came.</summary>
    public sealed record Page(string Version, string? Continue) : WatcherInput;

    /// <summary>An object came or changed.</summary>
    public sealed record Applied(string? Version) : WatcherInput;

    /// <summary>An object went away.</summary>
    public sealed record Deleted(string? Version) : WatcherInput;

    /// <summary>A bookmark came.</summary>
    public sealed record Bookmark(string Version, bool InitialEventsEnd) : WatcherInput;

    /// <summary>The server ended the stream in good order.</summary>
    /// <param name="TooShort">It lasted less than a second and brought nothing: doing it again at once would hammer the server.</param>
    public sealed record StreamEnded(bool TooShort) : WatcherInput;

    /// <summary>A request or a stream failed.</summary>
    public sealed record Failed(WatchFailure Failure) : WatcherInput;
}

/// <summary>Kinds of failure that are treated differently.</summary>
internal enum WatchFailure
{
    /// <summary>Anything else: try the same again.</summary>
    Other,

    /// <summary>410: the version or the continue token is gone.</summary>
    Expired,

    /// <summary>The version is newer than the server has: it was restored from a back-up, or this replica lags.</summary>
    VersionTooLarge,

    /// <summary>The server does not know what was asked (initial events).</summary>
    Unsupported,
}

/// <summary>What the watcher tells its consumer after a transition.</summary>
internal enum WatcherSignal
{
    None,
    Init,
    InitApply,
    InitDone,
    Apply,
    Delete,
    Progress,

    /// <summary>A failure that the consumer should wait out.</summary>
    Failed,
}
