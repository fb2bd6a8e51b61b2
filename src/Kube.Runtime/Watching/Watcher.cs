using System.Runtime.CompilerServices;
using Kube.Client;

namespace Kube.Runtime;

/// <summary>Turns list and watch into one endless sequence of events that survives everything a server or a network does.</summary>
/// <remarks>
/// Guarantees: after each <see cref="WatcherEventKind.InitDone"/> the picture is complete, and events continue it without a gap until the
/// next
/// <see cref="WatcherEventKind.Init"/>; the sequence ends only by cancellation; failures are events, not exceptions. Deletions that
/// happened while nobody watched appear only by their absence from the next picture: compare it with a store (<see
/// cref="SharedInformer{T}"/> does). The watcher itself never waits: wrap it with <see cref="WatcherBackoff.WithBackoff"/>.
/// </remarks>
/// <typeparam name="T">The kind watched.</typeparam>
public sealed class Watcher<T>(IKubeClient client, WatcherOptions options, TimeProvider time)
    where T : class, IKubeResource<T>
{
    /// <summary>A stream that ends sooner than this without an event counts as a failure (client-go: one second).</summary>
    private static readonly TimeSpan ShortWatch = TimeSpan.FromSeconds(1);

    private bool _streaming = options.StreamInitialList;

    /// <summary>Runs until cancelled. Each call starts from nothing.</summary>
    public async IAsyncEnumerable<WatcherEvent<T>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var state = WatcherMachine.Start;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (state is WatcherState.Empty or WatcherState.InitListed)
            {
                (state, var begun) = WatcherMachine.Step(state, new WatcherInput.Begin(_streaming));
                if (begun == WatcherSignal.Init)
                {
                    yield return new(WatcherEventKind.Init);
                }
            }

            if (state is WatcherState.InitPage page)
            {
                var (got, error) = await TryAsync(() => ListAsync(page, cancellationToken), cancellationToken).ConfigureAwait(false);
                foreach (var item in got?.Items ?? [])
                {
                    yield return new(WatcherEventKind.InitApply, item);
                }

                (state, var signal) = WatcherMachine.Step(state, got is null
                    ? new WatcherInput.Failed(Classify(error!))
                    : new WatcherInput.Page(got.Metadata.ResourceVersion ?? "", got.Metadata.Continue));
                if (signal == WatcherSignal.Failed)
                {
                    yield return new(WatcherEventKind.Failed, Error: error);
                }
                else if (signal == WatcherSignal.InitDone)
                {
                    yield return new(WatcherEventKind.InitDone, ResourceVersion: VersionOf(state));
                }

                continue;
            }

            var started = time.GetTimestamp();
            var events = 0;
            await using var stream = OpenWatch(state, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                var (input, failure) = await ReadAsync(stream, () =>
                    events == 0 && time.GetElapsedTime(started) < ShortWatch, cancellationToken)
                    .ConfigureAwait(false);
                events++;
                if (state is WatcherState.InitialWatch
                    && input is WatcherInput.StreamEnded or WatcherInput.Failed { Failure: WatchFailure.Unsupported })
                {
                    // It never said that the initial objects were complete, or refused to send them: this server needs a list.
                    _streaming = false;
                }

                (state, var signal) = WatcherMachine.Step(state, input);
                if (signal != WatcherSignal.None)
                {
                    yield return ToEvent(signal, stream, failure, state);
                }

                if (input is WatcherInput.StreamEnded or WatcherInput.Failed)
                {
                    break;
                }
            }
        }
    }

    private static string? VersionOf(WatcherState state) => state switch
    {
        WatcherState.InitListed listed => listed.Version,
        WatcherState.Watching watching => watching.Version,
        _ => null,
    };

    private static WatcherEvent<T> ToEvent(WatcherSignal signal, IAsyncEnumerator<WatchEvent<T>> stream, Exception? failure,
        WatcherState state) => signal switch
        {
            WatcherSignal.InitApply => new(WatcherEventKind.InitApply, ObjectOf(stream.Current)),
            WatcherSignal.InitDone => new(WatcherEventKind.InitDone, ResourceVersion: VersionOf(state)),
            WatcherSignal.Apply => new(WatcherEventKind.Apply, ObjectOf(stream.Current), VersionOf(state)),
            WatcherSignal.Delete => new(WatcherEventKind.Delete, ObjectOf(stream.Current), VersionOf(state)),
            WatcherSignal.Progress => new(WatcherEventKind.Progress, ResourceVersion: VersionOf(state)),
            _ => new(WatcherEventKind.Failed, Error: failure ?? new WatchEndedException("The watch ended before it brought anything.")),
        };

    private static T? ObjectOf(WatchEvent<T> e) => e switch
    {
        WatchEvent<T>.Added added => added.Object,
        WatchEvent<T>.Modified modified => modified.Object,
        WatchEvent<T>.Deleted deleted => deleted.Object,
        _ => null,
    };

    private static WatcherInput ToInput(WatchEvent<T> e) => e switch
    {
        WatchEvent<T>.Deleted deleted => new WatcherInput.Deleted(deleted.Object.Metadata.ResourceVersion),
        WatchEvent<T>.Bookmark mark => new WatcherInput.Bookmark(mark.ResourceVersion, mark.InitialEventsEnd),
        _ => new WatcherInput.Applied(ObjectOf(e)?.Metadata.ResourceVersion),
    };

    private static WatchFailure Classify(Exception error) => error switch
    {
        KubeException { IsExpired: true } => WatchFailure.Expired,
        KubeException { Code: 504 or 500 } e when IsVersionTooLarge(e) => WatchFailure.VersionTooLarge,
        KubeException { Code: 400 or 422 } => WatchFailure.Unsupported,
        _ => WatchFailure.Other,
    };

    // Servers before 1.19 say it in words only.
    private static bool IsVersionTooLarge(KubeException e) =>
        e.Status.Details?.Causes?.Any(c => c.Reason == "ResourceVersionTooLarge") == true
        || e.Message.Contains("Too large resource version", StringComparison.OrdinalIgnoreCase);

    /// <summary>Runs one request; every failure but the caller's cancellation becomes a value.</summary>
    private static async Task<(TResult? Result, Exception? Error)> TryAsync<TResult>(Func<Task<TResult>> action,
        CancellationToken cancellationToken)
    {
        try
        {
            return (await action().ConfigureAwait(false), null);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // A connection that breaks while the caller cancels is no failure of theirs: the loop ends as it does for them.
            return (default, e);
        }
    }

    private static async Task<(WatcherInput Input, Exception? Failure)> ReadAsync(
        IAsyncEnumerator<WatchEvent<T>> stream, Func<bool> tooShort, CancellationToken cancellationToken)
    {
        var (more, error) = await TryAsync(() => stream.MoveNextAsync().AsTask(), cancellationToken).ConfigureAwait(false);
        return error is not null ? (new WatcherInput.Failed(Classify(error)), error)
            : more ? (ToInput(stream.Current), null)
            : (new WatcherInput.StreamEnded(tooShort()), null);
    }

    private Task<ResourceList<T>> ListAsync(WatcherState.InitPage page, CancellationToken cancellationToken) => client.ListPageAsync<T>(
        options.Namespace,
        new ListOptions
        {
            LabelSelector = options.LabelSelector,
            FieldSelector = options.FieldSelector,
            Limit = options.PageSize,
            OmitManagedFields = true,
            Continue = page.Continue,

            // A continue token carries its version; the API refuses both together.
            ResourceVersion = page.Continue is null ? page.Version : null,
        },
        cancellationToken);

    private IAsyncEnumerable<WatchEvent<T>> OpenWatch(WatcherState state, CancellationToken cancellationToken) => client.WatchAsync<T>(
        options.Namespace,
        new WatchOptions
        {
            LabelSelector = options.LabelSelector,
            FieldSelector = options.FieldSelector,
            OmitManagedFields = true,
            SendInitialEvents = state is WatcherState.InitialWatch,
            ResourceVersion = state is WatcherState.InitialWatch initial ? initial.Version : VersionOf(state),
            Timeout = options.WatchTimeout,
        },
        cancellationToken);
}
