using System.Globalization;
using Kube.Client;

namespace Berth.Operator.Tests;

/// <summary>A watch stream whose events come when the simulation says so.</summary>
internal interface IFeed
{
    ResourceDescriptor Kind { get; }

    /// <summary>Whether there is anything that the reader does not know.</summary>
    bool IsBehind { get; }

    /// <summary>Brings the next event, or a bookmark when there is none.</summary>
    void Advance();

    /// <summary>Ends the stream: in good order, or with an error.</summary>
    void Break(KubeException? error);
}

/// <summary>A watch of one kind: reads the API's log from a version on.</summary>
internal sealed class SimulatedWatch<T>(SimulatedApi api, Wire wire, string? ns, WatchOptions options)
    : IFeed, IAsyncEnumerable<WatchEvent<T>>, IAsyncEnumerator<WatchEvent<T>>
    where T : class, IKubeResource<T>
{
    private long _version = long.Parse(options.ResourceVersion ?? "0", CultureInfo.InvariantCulture);
    private int _index;
    private TaskCompletionSource<bool>? _waiting;

    public ResourceDescriptor Kind => T.Descriptor;

    public bool IsBehind => _waiting is not null && !wire.IsDead && _version < api.Version;

    public WatchEvent<T> Current { get; private set; } = null!;

    public IAsyncEnumerator<WatchEvent<T>> GetAsyncEnumerator(CancellationToken cancellationToken)
    {
        wire.Feeds.Add(this);
        return this;
    }

    public ValueTask<bool> MoveNextAsync()
    {
        var next = _waiting = new TaskCompletionSource<bool>();
        if (_version < api.Compacted)
        {
            Break(ApiErrors.Expired());
        }

        return new(next.Task);
    }

    public ValueTask DisposeAsync()
    {
        wire.Feeds.Remove(this);
        _waiting = null;
        return ValueTask.CompletedTask;
    }

    public void Advance()
    {
        if (!IsBehind)
        {
            return;
        }

        var log = api.Log(T.Descriptor);
        while (_index < log.Count)
        {
            var change = log[_index++];
            if (change.Version > _version && Event(change) is { } e)
            {
                _version = change.Version;
                Bring(e);
                return;
            }
        }

        _version = api.Version;
        Bring(new WatchEvent<T>.Bookmark(_version.ToString(CultureInfo.InvariantCulture), false));
    }

    public void Break(KubeException? error)
    {
        if (_waiting is not { } waiting || wire.IsDead)
        {
            return;
        }

        _waiting = null;
        if (error is null)
        {
            waiting.SetResult(false);
        }
        else
        {
            waiting.SetException(error);
        }
    }

    private void Bring(WatchEvent<T> e)
    {
        var waiting = _waiting!;
        _waiting = null;
        Current = e;
        waiting.SetResult(true);
    }

    private WatchEvent<T>? Event(Change change)
    {
        var before = change.Former is { } former && Matches(former);
        var after = change.Now is { } now && Matches(now);
        return (before, after) switch
        {
            (false, true) => new WatchEvent<T>.Added(change.Now!.As<T>()),
            (true, true) => new WatchEvent<T>.Modified(change.Now!.As<T>()),
            (true, false) => new WatchEvent<T>.Deleted(change.Last.As<T>()),
            _ => null,
        };
    }

    private bool Matches(Revision revision) =>
        (ns is null || revision.Key.Namespace == ns) && Selectors.Matches(revision.Json, options.LabelSelector, options.FieldSelector);
}
