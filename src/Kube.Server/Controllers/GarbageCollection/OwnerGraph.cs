using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Controllers.GarbageCollection;

/// <summary>An owner reference.</summary>
internal readonly record struct OwnerRef(string Uid, string ApiVersion, string Kind, string Name, bool Block);

/// <summary>What the collector knows of an object.</summary>
internal sealed record GraphNode
{
    public required string Uid { get; init; }

    public required GroupResource Resource { get; init; }

    /// <summary>Null for cluster-scoped kinds.</summary>
    public required string? Namespace { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<OwnerRef> Owners { get; init; }

    public required bool Deleting { get; init; }

    /// <summary>It waits for its blocking dependents (finalizer foregroundDeletion).</summary>
    public required bool Foreground { get; init; }

    /// <summary>Its dependents are to be let go (finalizer orphan).</summary>
    public required bool Orphan { get; init; }

    public static GraphNode Read(GroupResource resource, JsonObject obj)
    {
        var metadata = obj.Object("metadata");
        var deleting = metadata.Text("deletionTimestamp") is not null;
        var finalizers = metadata.Texts("finalizers");
        return new GraphNode
        {
            Uid = metadata.Text("uid") ?? "",
            Resource = resource,
            Namespace = metadata.Text("namespace") is { Length: > 0 } ns ? ns : null,
            Name = metadata.Text("name") ?? "",
            Owners = [.. metadata.Objects("ownerReferences").Select(o => new OwnerRef(
                o.Text("uid") ?? "", o.Text("apiVersion") ?? "", o.Text("kind") ?? "", o.Text("name")
                    ?? "", o.Flag("blockOwnerDeletion")))],
            Deleting = deleting,
            Foreground = deleting && finalizers.Contains(GarbageCollector.ForegroundFinalizer),
            Orphan = deleting && finalizers.Contains(GarbageCollector.OrphanFinalizer),
        };
    }
}

/// <summary>All objects by uid, and who depends on whom. Not thread-safe: it belongs to the collector's loop.</summary>
internal sealed class OwnerGraph
{
    private readonly Dictionary<string, GraphNode> _nodes = new(StringComparer.Ordinal);
    // Uids never come back, so what was seen to go is gone for good: needed where the kind went with its last object (a deleted CRD).
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _dependents = new(StringComparer.Ordinal);

    public GraphNode? Find(string uid) => _nodes.GetValueOrDefault(uid);

    public IReadOnlyList<GraphNode> Dependents(string uid) =>
        _dependents.TryGetValue(uid, out var set) ? [.. set.Select(u => _nodes[u])] : [];

    public void Clear()
    {
        _nodes.Clear();
        _dependents.Clear();
    }

    public bool WasRemoved(string uid) => _removed.Contains(uid);

    public IReadOnlyList<string> All => [.. _nodes.Keys];

    /// <summary>Takes an object in, or its newer version.</summary>
    /// <returns>The uids that are to be looked at because of it.</returns>
    public IReadOnlyList<string> Put(GraphNode node)
    {
        var before = _nodes.GetValueOrDefault(node.Uid);
        _nodes[node.Uid] = node;
        Unlink(before);
        foreach (var owner in node.Owners)
        {
            if (!_dependents.TryGetValue(owner.Uid, out var set))
            {
                _dependents[owner.Uid] = set = new HashSet<string>(StringComparer.Ordinal);
            }

            set.Add(node.Uid);
        }

        // An owner that waits for its dependents is looked at when one of them lets go of it.
        var owners = (before?.Owners ?? []).Select(o => o.Uid).Where(u => _nodes.GetValueOrDefault(u) is { Foreground: true });
        // An owner that begins to wait makes its dependents candidates.
        var dependents = node.Foreground && before is not { Foreground: true } ? Dependents(node.Uid).Select(d => d.Uid) : [];
        var self = node.Owners.Count > 0 || node.Foreground || node.Orphan ? [node.Uid] : Array.Empty<string>();
        return [.. self.Concat(owners).Concat(dependents).Distinct()];
    }

    /// <summary>Forgets an object that is gone.</summary>
    /// <returns>The uids that are to be looked at because of it.</returns>
    public IReadOnlyList<string> Remove(string uid)
    {
        if (!_nodes.Remove(uid, out var node))
        {
            return [];
        }

        if (_removed.Count > 50_000)
        {
            _removed.Clear();
        }

        _removed.Add(uid);
        Unlink(node);
        return [.. Dependents(uid).Select(d => d.Uid).Concat(node.Owners.Select(o => o.Uid).Where(u =>
            _nodes.GetValueOrDefault(u) is { Foreground: true }))];
    }

    private void Unlink(GraphNode? node)
    {
        foreach (var owner in node?.Owners ?? [])
        {
            if (_dependents.TryGetValue(owner.Uid, out var set) && set.Remove(node!.Uid) && set.Count == 0)
            {
                _dependents.Remove(owner.Uid);
            }
        }
    }
}
