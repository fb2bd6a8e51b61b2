namespace Kube.Runtime;

/// <summary>The transition function of the watcher: pure, total, and all of the protocol's rules in one place.</summary>
/// <remarks>
/// <code>
///                 ┌────────────── 410, version too large ◄──────────────┐
///                 ▼                                                     │
///   Empty ──► InitPage ──(last page)──► InitListed{rv} ──► Watching{rv} ┤
///     │          └─(next page)─┘             ▲                 │  ▲     │
///     │                                      └── stream ended ─┘  │     │
///     └─────► InitialWatch ──(bookmark initial-events-end)─────────┘     │
///                  └──────────────── ended or failed ────────────────────┘
/// </code>
/// Every other failure keeps the state, so the retry goes on from the same version.
/// </remarks>
internal static class WatcherMachine
{
    /// <summary>The first state: any version the server has at hand will do, which spares it a quorum read.</summary>
    public static WatcherState Start { get; } = new WatcherState.Empty("0");

    public static (WatcherState Next, WatcherSignal Signal) Step(WatcherState state, WatcherInput input) =>
        (state, input) switch
        {
            (WatcherState.Empty empty, WatcherInput.Begin begin) => (
                begin.Streaming ? new WatcherState.InitialWatch(empty.Version) : new WatcherState.InitPage(empty.Version, null),
                WatcherSignal.Init
            ),
            (WatcherState.InitListed listed, WatcherInput.Begin) => (new WatcherState.Watching(listed.Version), WatcherSignal.None),

            (WatcherState.InitPage page, WatcherInput.Page got) => string.IsNullOrEmpty(got.Continue)
                ? (new WatcherState.InitListed(got.Version), WatcherSignal.InitDone)
                : (page with { Continue = got.Continue }, WatcherSignal.None),
            (WatcherState.InitPage page, WatcherInput.Failed failed) => OnListFailure(page, failed.Failure),

            // Versions of the initial objects are in no order: none of them is progress before the bookmark says so.
            (WatcherState.InitialWatch, WatcherInput.Applied) => (state, WatcherSignal.InitApply),
            (WatcherState.InitialWatch, WatcherInput.Deleted) => (state, WatcherSignal.Delete),
            (WatcherState.InitialWatch, WatcherInput.Bookmark { InitialEventsEnd: true } mark) => (
                new WatcherState.Watching(mark.Version),
                WatcherSignal.InitDone
            ),
            (WatcherState.InitialWatch, WatcherInput.Bookmark) => (state, WatcherSignal.None),
            (WatcherState.InitialWatch initial, WatcherInput.StreamEnded) => (
                new WatcherState.Empty(initial.Version),
                WatcherSignal.Failed
            ),
            (WatcherState.InitialWatch, WatcherInput.Failed { Failure: WatchFailure.Expired or WatchFailure.VersionTooLarge }) => (
                new WatcherState.Empty(""),
                WatcherSignal.Failed
            ),
            (WatcherState.InitialWatch initial, WatcherInput.Failed failed) => (
                new WatcherState.Empty(initial.Version),
                failed.Failure == WatchFailure.Unsupported ? WatcherSignal.None : WatcherSignal.Failed
            ),

            (WatcherState.Watching watching, WatcherInput.Applied got) => (
                watching with
                {
                    Version = got.Version ?? watching.Version,
                },
                WatcherSignal.Apply
            ),
            (WatcherState.Watching watching, WatcherInput.Deleted got) => (
                watching with
                {
                    Version = got.Version ?? watching.Version,
                },
                WatcherSignal.Delete
            ),
            (WatcherState.Watching watching, WatcherInput.Bookmark mark) => (
                watching with
                {
                    Version = mark.Version,
                },
                WatcherSignal.Progress
            ),
            (WatcherState.Watching watching, WatcherInput.StreamEnded ended) => (
                new WatcherState.InitListed(watching.Version),
                ended.TooShort ? WatcherSignal.Failed : WatcherSignal.None
            ),

            // The new picture may not be older than what was seen, unless the server has nothing that new (a restored back-up): then the
            // newest it has.
            (WatcherState.Watching watching, WatcherInput.Failed { Failure: WatchFailure.Expired }) => (
                new WatcherState.Empty(watching.Version),
                WatcherSignal.Failed
            ),
            (WatcherState.Watching, WatcherInput.Failed { Failure: WatchFailure.VersionTooLarge }) => (
                new WatcherState.Empty(""),
                WatcherSignal.Failed
            ),
            (WatcherState.Watching watching, WatcherInput.Failed) => (new WatcherState.InitListed(watching.Version), WatcherSignal.Failed),

            _ => throw new InvalidOperationException(
                $"A watcher in the state {state.GetType().Name} cannot handle {input.GetType().Name}."
            ),
        };

    private static (WatcherState Next, WatcherSignal Signal) OnListFailure(WatcherState.InitPage page, WatchFailure failure) =>
        failure switch
        {
            // Asked for a certain version and it is not to be had: at once again for the newest by quorum. When that fails too, something
            // else is wrong: wait.
            WatchFailure.Expired or WatchFailure.VersionTooLarge => (
                new WatcherState.Empty(""),
                page.Version.Length > 0 && page.Continue is null ? WatcherSignal.None : WatcherSignal.Failed
            ),

            // The pages read so far stay valid as long as their token does.
            _ => (page, WatcherSignal.Failed),
        };
}
