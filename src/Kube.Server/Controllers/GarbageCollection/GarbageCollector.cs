using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Controllers.GarbageCollection;

/// <summary>
/// Deletes objects whose owners are gone, and carries out foreground and orphan deletion. Owners are meant by uid; one in another namespace
/// counts as gone.
/// </summary>
/// <remarks>
/// One watch over everything feeds the graph, so an owner is always seen before what refers to it; nothing is collected before the initial
/// list is complete. Single-threaded: each step is taken in, and what it concerns is looked at, before the next.
/// </remarks>
internal sealed partial class GarbageCollector : IHostedController, IDisposable
{
    public const string ForegroundFinalizer = "foregroundDeletion";
    public const string OrphanFinalizer = "orphan";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly OwnerGraph _graph = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<string> _todo = new();
    private readonly HashSet<string> _failed = new(StringComparer.Ordinal);
    private DateTimeOffset _retryAt;
    private HostedControllerContext _context = null!;
    private ILogger _logger = null!;
    private bool _complete;
    private Task _loop = Task.CompletedTask;

    public string Name => "garbage-collector";

    private IClusterApi Api => _context.Api;

    public Task StartAsync(HostedControllerContext context, CancellationToken cancellationToken)
    {
        _context = context;
        _logger = context.LoggerFactory.CreateLogger<GarbageCollector>();
        _loop = Task.Run(() => WatchLoop.RunAsync(Watch, TakeAsync, context.TimeProvider, _logger, _stop.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public void Dispose() => _stop.Dispose();

    // A watch that begins anew begins with everything: what is known is forgotten first, or it would hold what was deleted meanwhile.
    private async IAsyncEnumerable<WatchEvent> Watch(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _complete = false;
        _graph.Clear();
        _todo.Clear();
        _failed.Clear();
        await using var steps = Api.WatchAllAsync(cancellationToken: cancellationToken).GetAsyncEnumerator(cancellationToken);
        var next = steps.MoveNextAsync().AsTask();
        while (true)
        {
            if (_failed.Count > 0 && !next.IsCompleted)
            {
                // Refused writes are tried again even when nothing else happens.
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                await Task.WhenAny(next, Task.Delay(RetryAfter, _context.TimeProvider, limit.Token));
                await limit.CancelAsync();
                if (!next.IsCompleted)
                {
                    await WorkAsync();
                    continue;
                }
            }

            if (!await next)
            {
                yield break;
            }

            yield return steps.Current;
            next = steps.MoveNextAsync().AsTask();
        }
    }

    private async Task TakeAsync(WatchEvent step)
    {
        // Events are about objects, they do not own or depend; there are too many of them to keep.
        if (step.Resource == GroupResource.Events)
        {
            return;
        }

        if (step.Type == WatchEventType.InitialListDone)
        {
            _complete = true;
            Add(_graph.All);
        }
        else
        {
            Add(step.Type == WatchEventType.Deleted
                ? _graph.Remove(step.Value.Object("metadata").Text("uid") ?? "")
                : _graph.Put(GraphNode.Read(step.Resource, step.Value)));
        }

        await WorkAsync();
    }

    private void Add(IEnumerable<string> uids)
    {
        foreach (var uid in uids)
        {
            _todo.Enqueue(uid);
        }
    }

    private async Task WorkAsync()
    {
        if (!_complete)
        {
            _todo.Clear(); // Everything is looked at once the list is complete.
            return;
        }

        var now = _context.TimeProvider.GetUtcNow();
        if (_failed.Count > 0 && now >= _retryAt)
        {
            Add(_failed);
            _failed.Clear();
        }

        while (_todo.TryDequeue(out var uid))
        {
            if (_graph.Find(uid) is not { } node)
            {
                continue;
            }

            try
            {
                await ExamineAsync(node);
            }
            catch (ApiException error) when (error.IsNotFound)
            {
                // Gone already; the watch says so in a moment.
            }
            catch (ApiException error)
            {
                LogRefused(_logger, error, node.Resource, node.Namespace, node.Name);
                _failed.Add(uid);
                _retryAt = now + RetryAfter;
            }
        }
    }

    private async Task ExamineAsync(GraphNode node)
    {
        if (node.Orphan)
        {
            foreach (var dependent in _graph.Dependents(node.Uid).Where(d => SameRealm(node, d)))
            {
                await DropAsync(dependent, o => o == node.Uid);
            }

            await RemoveFinalizerAsync(node, OrphanFinalizer);
            return;
        }

        if (node.Foreground)
        {
            var waiting = _graph.Dependents(node.Uid).Where(d => SameRealm(node, d) && d.Owners.Any(o => o.Uid == node.Uid
                && o.Block)).ToList();
            if (waiting.Count == 0)
            {
                await RemoveFinalizerAsync(node, ForegroundFinalizer);
            }
        }

        if (node.Deleting || node.Owners.Count == 0)
        {
            return;
        }

        var standings = node.Owners.Select(o => Standing(node, o)).ToList();
        switch (OwnerVerdict.Decide(standings, _graph.Dependents(node.Uid).Count > 0))
        {
            case Collect.DropReferences:
                var worthless = node.Owners.Where((_, i) => standings[i] != OwnerStanding.Solid).Select(o => o.Uid).ToHashSet();
                await DropAsync(node, worthless.Contains);
                break;
            case Collect.DeleteBackground:
                await DeleteAsync(node, DeletionPropagation.Background);
                break;
            case Collect.DeleteForeground:
                await DeleteAsync(node, DeletionPropagation.Foreground);
                break;
        }
    }

    private OwnerStanding Standing(GraphNode node, OwnerRef owner)
    {
        if (_graph.Find(owner.Uid) is { } known)
        {
            return !SameRealm(known, node) ? OwnerStanding.Dangling : known.Foreground ? OwnerStanding.Waiting : OwnerStanding.Solid;
        }

        if (_graph.WasRemoved(owner.Uid))
        {
            return OwnerStanding.Dangling;
        }

        // Never seen: the store has the last word, for nothing may be deleted by mistake.
        var slash = owner.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        if (Api.FindKind(slash < 0 ? "" : owner.ApiVersion[..slash], owner.Kind) is not { } type)
        {
            return OwnerStanding.Unknown;
        }

        if (type.Namespaced && node.Namespace is null)
        {
            return OwnerStanding.Dangling;
        }

        var found = Api.Get(type.Resource, type.Namespaced ? node.Namespace : null, owner.Name);
        return found.Object("metadata").Text("uid") == owner.Uid ? OwnerStanding.Solid : OwnerStanding.Dangling;
    }

    private static bool SameRealm(GraphNode owner, GraphNode dependent) => owner.Namespace is null
        || owner.Namespace == dependent.Namespace;

    private async Task DeleteAsync(GraphNode node, DeletionPropagation propagation)
    {
        LogDeleted(_logger, node.Resource, node.Namespace, node.Name);
        await Api.DeleteAsync(node.Resource, node.Namespace, node.Name,
            new DeleteOptions { PreconditionUid = node.Uid, Propagation = propagation }, _stop.Token);
    }

    private Task DropAsync(GraphNode node, Func<string, bool> drop) => ModifyAsync(node, metadata =>
    {
        var kept = metadata.Objects("ownerReferences").Where(o => !drop(o.Text("uid") ?? "")).Select(o => o.DeepClone()).ToArray();
        if (kept.Length == metadata.Objects("ownerReferences").Count())
        {
            return false;
        }

        Replace(metadata, "ownerReferences", kept);
        return true;
    });

    private Task RemoveFinalizerAsync(GraphNode node, string finalizer) => ModifyAsync(node, metadata =>
    {
        if (!metadata.Texts("finalizers").Contains(finalizer))
        {
            return false;
        }

        Replace(metadata, "finalizers", [.. metadata.Texts("finalizers").Where(f => f != finalizer).Select(f => (JsonNode)f)]);
        return true;
    });

    private async Task ModifyAsync(GraphNode node, Func<JsonObject, bool> change) =>
        await Api.ModifyAsync(node.Resource, node.Namespace, node.Name,
            obj => obj["metadata"] is JsonObject metadata && metadata.Text("uid") == node.Uid
                && change(metadata), cancellationToken: _stop.Token);

    private static void Replace(JsonObject metadata, string name, JsonNode[] items)
    {
        metadata.Remove(name);
        if (items.Length > 0)
        {
            metadata[name] = new JsonArray(items);
        }
    }

    [LoggerMessage(50, LogLevel.Information, "Collecting {Resource} {Namespace}/{Name}: no owner lives")]
    private static partial void LogDeleted(ILogger logger, GroupResource resource, string? @namespace, string name);

    [LoggerMessage(51, LogLevel.Information, "{Resource} {Namespace}/{Name} could not be collected now and is tried again")]
    private static partial void LogRefused(ILogger logger, Exception error, GroupResource resource, string? @namespace, string name);
}
