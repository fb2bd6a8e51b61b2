using System.Text.Json.Nodes;

namespace Berth.Operator.Tests;

/// <summary>
/// A set of fields of an object, as server-side apply keeps it for each manager: a tree of names in which the leaves are what is owned.
/// Items of lists that have keys are named by them.
/// </summary>
internal sealed class Fields
{
    private readonly Dictionary<string, Fields> _children = new(StringComparer.Ordinal);

    internal bool IsEmpty => _children.Count == 0;

    internal bool Contains(string name) => _children.ContainsKey(name);

    internal Fields? Child(string name) => _children.GetValueOrDefault(name);

    /// <summary>What an applied configuration sets, without what names the object.</summary>
    internal static Fields Of(ListKeys keys, JsonObject applied)
    {
        var set = new Fields();
        set.Add(keys, applied, "");
        return set;
    }

    /// <summary>The leaves in which two states of an object differ.</summary>
    internal static Fields Changed(ListKeys keys, JsonObject former, JsonObject next)
    {
        var set = new Fields();
        set.AddChanges(keys, former, next, "");
        return set;
    }

    /// <summary>This set without another one.</summary>
    internal void Subtract(Fields other)
    {
        foreach (var (name, theirs) in other._children)
        {
            if (_children.TryGetValue(name, out var ours))
            {
                ours.Subtract(theirs);
                if (theirs.IsEmpty || ours.IsEmpty)
                {
                    _children.Remove(name);
                }
            }
        }
    }

    /// <summary>Leaves out what is not in another set.</summary>
    internal void KeepOnly(Fields other)
    {
        foreach (var (name, ours) in _children.ToArray())
        {
            var theirs = other.Child(name);
            var leaf = ours.IsEmpty;
            if (theirs is { IsEmpty: false })
            {
                ours.KeepOnly(theirs);
            }

            if (theirs is null || (!leaf && ours.IsEmpty))
            {
                _children.Remove(name);
            }
        }
    }

    internal bool Same(Fields other) => _children.Count == other._children.Count
        && _children.All(c => other.Child(c.Key) is { } theirs && c.Value.Same(theirs));

    internal void Union(Fields other)
    {
        foreach (var (name, theirs) in other._children)
        {
            if (!_children.TryGetValue(name, out var ours))
            {
                _children[name] = ours = new Fields();
            }

            ours.Union(theirs);
        }
    }

    /// <summary>Whether both own a leaf.</summary>
    internal bool Overlaps(Fields other) =>
        other._children.Any(c => _children.TryGetValue(c.Key, out var ours) && (c.Value.IsEmpty || ours.IsEmpty || ours.Overlaps(c.Value)));

    /// <summary>Takes what is in this set, and in none of the others, out of an object.</summary>
    internal void RemoveFrom(ListKeys keys, JsonNode node, Fields wanted, IReadOnlyList<Fields> others, string path = "")
    {
        foreach (var (name, gone) in _children)
        {
            var still = wanted.Child(name);
            var theirs = others.Select(o => o.Child(name)).OfType<Fields>().ToList();
            var below = path.Length == 0 ? name : $"{path}.{name}";
            if (node is JsonArray list)
            {
                if (keys.Find(list, path, name) is { } item)
                {
                    if (still is null && theirs.Count == 0)
                    {
                        list.Remove(item);
                    }
                    else
                    {
                        gone.RemoveFrom(keys, item, still ?? new Fields(), theirs, path + "[]");
                    }
                }
            }
            else if (node is JsonObject obj && obj.ContainsKey(name))
            {
                if (gone.IsEmpty)
                {
                    if (still is null && theirs.Count == 0)
                    {
                        obj.Remove(name);
                    }
                }
                else if (obj[name] is { } child)
                {
                    gone.RemoveFrom(keys, child, still ?? new Fields(), theirs, below);
                    if (child is JsonObject { Count: 0 } or JsonArray { Count: 0 } && still is null)
                    {
                        obj.Remove(name);
                    }
                }
            }
        }
    }

    private void Add(ListKeys keys, JsonObject applied, string path)
    {
        foreach (var (name, value) in applied)
        {
            var below = path.Length == 0 ? name : $"{path}.{name}";
            if (value is null || ListKeys.Names(below))
            {
                continue;
            }

            var child = new Fields();
            _children[name] = child;
            if (value is JsonObject obj && !ListKeys.IsAtomic(below))
            {
                child.Add(keys, obj, below);
            }
            else if (value is JsonArray list && keys.IsKeyed(below))
            {
                foreach (var item in list)
                {
                    var itemFields = new Fields();
                    child._children[keys.KeyOf(item!, below)] = itemFields;
                    if (item is JsonObject itemObject && !ListKeys.IsAtomic(below + "[]"))
                    {
                        itemFields.Add(keys, itemObject, below + "[]");
                    }
                }
            }
        }
    }

    private void AddChanges(ListKeys keys, JsonObject former, JsonObject next, string path)
    {
        foreach (var name in former.Select(p => p.Key).Union(next.Select(p => p.Key)))
        {
            var below = path.Length == 0 ? name : $"{path}.{name}";
            var (a, b) = (former[name], next[name]);
            if (ListKeys.Names(below) || JsonNode.DeepEquals(a, b))
            {
                continue;
            }

            var child = new Fields();
            _children[name] = child;
            if (!ListKeys.IsAtomic(below) && (a is null || a is JsonObject) && (b is null || b is JsonObject) && !(a is null && b is null))
            {
                child.AddChanges(keys, a as JsonObject ?? [], b as JsonObject ?? [], below);
            }
            else if (keys.IsKeyed(below))
            {
                child.AddItems(keys, a as JsonArray ?? [], b as JsonArray ?? [], below);
                if (child.IsEmpty)
                {
                    // Only the order is another: nobody owns that.
                    _children.Remove(name);
                }
            }
        }
    }

    private void AddItems(ListKeys keys, JsonArray former, JsonArray next, string path)
    {
        foreach (var key in former.Concat(next).Select(i => keys.KeyOf(i!, path)).Distinct())
        {
            var (a, b) = (keys.Find(former, path, key), keys.Find(next, path, key));
            if (JsonNode.DeepEquals(a, b))
            {
                continue;
            }

            var child = new Fields();
            _children[key] = child;
            if ((a ?? b) is JsonObject && !ListKeys.IsAtomic(path + "[]"))
            {
                child.AddChanges(keys, a as JsonObject ?? [], b as JsonObject ?? [], path + "[]");
            }
        }
    }
}
