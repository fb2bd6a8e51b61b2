using System.Text.Json.Nodes;

namespace Kube.Server.Apply;

/// <summary>
/// A set of field paths as a trie. An element is spelled as in FieldsV1: <c>f:name</c>, <c>k:{"key":"value"}</c> (item of a map list),
/// <c>v:value</c> (item of a set).
/// </summary>
internal sealed class FieldSet
{
    // Only ever read.
    private static readonly FieldSet Nothing = new();

    public bool Member { get; set; }

    public SortedDictionary<string, FieldSet> Children { get; } = new(StringComparer.Ordinal);

    public bool IsEmpty => !Member && Children.Count == 0;

    public FieldSet Child(string element)
    {
        if (!Children.TryGetValue(element, out var child))
        {
            Children[element] = child = new FieldSet();
        }
        return child;
    }

    public static FieldSet FromJson(JsonNode? fields)
    {
        var set = new FieldSet();
        if (fields is JsonObject obj)
        {
            foreach (var (key, value) in obj)
            {
                if (key == ".")
                {
                    set.Member = true;
                    continue;
                }
                var child = FromJson(value);
                child.Member |= child.Children.Count == 0;
                set.Children[key] = child;
            }
        }
        return set;
    }

    public JsonObject ToJson()
    {
        var obj = new JsonObject();
        if (Member && Children.Count > 0)
        {
            obj["."] = new JsonObject();
        }
        foreach (var (key, child) in Children)
        {
            if (!child.IsEmpty)
            {
                obj[key] = child.ToJson();
            }
        }
        return obj;
    }

    public FieldSet Clone() => Union(Nothing);

    /// <summary>Both together, without branches that hold nothing.</summary>
    public FieldSet Union(FieldSet other)
    {
        var result = new FieldSet { Member = Member || other.Member };
        foreach (var key in Children.Keys.Union(other.Children.Keys))
        {
            var both = (Children.GetValueOrDefault(key) ?? Nothing).Union(other.Children.GetValueOrDefault(key) ?? Nothing);
            if (!both.IsEmpty)
            {
                result.Children[key] = both;
            }
        }
        return result;
    }

    public FieldSet Except(FieldSet other)
    {
        var result = new FieldSet { Member = Member && !other.Member };
        foreach (var (key, child) in Children)
        {
            var rest = other.Children.TryGetValue(key, out var gone) ? child.Except(gone) : child.Clone();
            if (!rest.IsEmpty)
            {
                result.Children[key] = rest;
            }
        }
        return result;
    }

    public FieldSet Intersect(FieldSet other)
    {
        var result = new FieldSet { Member = Member && other.Member };
        foreach (var (key, child) in Children)
        {
            if (other.Children.TryGetValue(key, out var both) && child.Intersect(both) is { IsEmpty: false } common)
            {
                result.Children[key] = common;
            }
        }
        return result;
    }

    /// <summary>Removes what the other set names, with everything below it.</summary>
    public FieldSet ExceptSubtrees(FieldSet other)
    {
        if (other.Member)
        {
            return new FieldSet();
        }
        var result = new FieldSet { Member = Member };
        foreach (var (key, child) in Children)
        {
            var rest = other.Children.TryGetValue(key, out var gone) ? child.ExceptSubtrees(gone) : child.Clone();
            if (!rest.IsEmpty)
            {
                result.Children[key] = rest;
            }
        }
        return result;
    }

    /// <summary>The same set with every element on the way to a member a member itself.</summary>
    public FieldSet WithPrefixes()
    {
        var result = new FieldSet { Member = !IsEmpty };
        foreach (var (key, child) in Children)
        {
            result.Children[key] = child.WithPrefixes();
        }
        return result;
    }

    public bool SameAs(FieldSet other) =>
        Member == other.Member && Children.Count == other.Children.Count
            && Children.All(pair => other.Children.TryGetValue(pair.Key, out var twin) && pair.Value.SameAs(twin));

    /// <summary>Paths of the members, as Kubernetes prints them: <c>.spec.containers[name="a"].image</c>.</summary>
    public IEnumerable<string> Paths(string prefix = "")
    {
        if (Member && prefix.Length > 0)
        {
            yield return prefix;
        }
        foreach (var (key, child) in Children)
        {
            var text = key[0] switch
            {
                'f' => "." + key[2..],
                'k' => "[" + string.Join(",", ((JsonObject)JsonNode.Parse(key[2..])!).Select(p => $"{p.Key}={Json.ToText(p.Value)}")) + "]",
                'v' => "[=" + key[2..] + "]",
                _ => "[" + key[2..] + "]",
            };
            foreach (var path in child.Paths(prefix + text))
            {
                yield return path;
            }
        }
    }
}
