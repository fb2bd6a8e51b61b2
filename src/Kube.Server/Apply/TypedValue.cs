using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Apply;

/// <summary>
/// The operations of structured merge: which fields a value has, how two differ, merging, removing. Driven by the schema's list and map
/// types.
/// </summary>
internal static class TypedValue
{
    /// <summary>The set of fields a value states.</summary>
    public static void Collect(JsonNode? value, SchemaNode? schema, FieldSet into)
    {
        switch (value)
        {
            case JsonObject obj when !IsAtomic(obj, schema):
                foreach (var (key, child) in obj)
                {
                    var field = into.Child("f:" + key);
                    var childSchema = ChildOf(schema, key);
                    Collect(child, childSchema, field);
                    if (child is null or JsonObject { Count: 0 } || (schema is not null && !schema.Properties.ContainsKey(key)))
                    {
                        field.Member = true;
                    }
                }
                break;
            case JsonArray array when schema is { ListType: "set" or "map" }:
                foreach (var item in array)
                {
                    var element = into.Child(ElementOf(item, schema));
                    element.Member = true;
                    if (schema.ListType == "map")
                    {
                        Collect(item, schema.Items, element);
                    }
                }
                break;
            default:
                into.Member = true;
                break;
        }
    }

    /// <summary>
    /// What changed from one value to the other: <paramref name="changed"/> = added and modified, <paramref name="removed"/>.
    /// </summary>
    public static void Compare(JsonNode? before, bool hadBefore, JsonNode? after, bool hasAfter, SchemaNode? schema, FieldSet changed,
        FieldSet removed)
    {
        if (!hadBefore && !hasAfter)
        {
            return;
        }
        if (!hadBefore || !hasAfter)
        {
            MarkAll(hadBefore ? before : after, schema, hadBefore ? removed : changed);
            return;
        }
        if (before is JsonObject a && after is JsonObject b && !IsAtomic(b, schema))
        {
            foreach (var key in a.Select(p => p.Key).Union(b.Select(p => p.Key)))
            {
                var had = a.TryGetPropertyValue(key, out var x);
                var has = b.TryGetPropertyValue(key, out var y);
                Compare(x, had, y, has, ChildOf(schema, key), changed.Child("f:" + key), removed.Child("f:" + key));
            }
            return;
        }
        if (before is JsonArray p && after is JsonArray q && schema is { ListType: "set" or "map" })
        {
            var old = ByElement(p, schema);
            var now = ByElement(q, schema);
            foreach (var key in old.Keys.Union(now.Keys))
            {
                var had = old.TryGetValue(key, out var x);
                var has = now.TryGetValue(key, out var y);
                if (had != has || schema.ListType == "map")
                {
                    Compare(x, had, y, has, schema.Items, changed.Child(key), removed.Child(key));
                }
            }
            return;
        }
        if (!Json.DeepEquals(before, after))
        {
            changed.Member = true;
            if (before is JsonObject or JsonArray)
            {
                // A container that became something else takes what was below it with it.
                var gone = new FieldSet();
                MarkAll(before, schema, gone);
                gone.Member = false;
                foreach (var (key, child) in gone.Children)
                {
                    removed.Children[key] = child;
                }
            }
        }
    }

    /// <summary>Merges an applied configuration into the live value.</summary>
    public static JsonNode? Merge(JsonNode? live, JsonNode? config, SchemaNode? schema)
    {
        if (live is JsonObject a && config is JsonObject b && !IsAtomic(b, schema))
        {
            foreach (var (key, value) in b)
            {
                if (a.TryGetPropertyValue(key, out var present))
                {
                    var merged = Merge(present, value, ChildOf(schema, key));
                    if (!ReferenceEquals(merged, present))
                    {
                        a[key] = merged;
                    }
                }
                else
                {
                    a[key] = value?.DeepClone();
                }
            }
            return a;
        }
        if (live is JsonArray p && config is JsonArray q && schema is { ListType: "set" or "map" })
        {
            foreach (var item in q)
            {
                var element = ElementOf(item, schema);
                var at = -1;
                for (var i = 0; i < p.Count && at < 0; i++)
                {
                    at = ElementOf(p[i], schema) == element ? i : -1;
                }
                if (at < 0)
                {
                    p.Add(item?.DeepClone());
                }
                else if (schema.ListType == "map")
                {
                    Merge(p[at], item, schema.Items);
                }
            }
            return p;
        }
        return config?.DeepClone();
    }

    /// <summary>Removes the members of a set from a value, in place.</summary>
    public static void Remove(JsonNode? value, SchemaNode? schema, FieldSet gone)
    {
        switch (value)
        {
            case JsonObject obj:
                foreach (var key in obj.Select(pair => pair.Key).ToList())
                {
                    if (gone.Children.TryGetValue("f:" + key, out var child))
                    {
                        if (child.Member)
                        {
                            obj.Remove(key);
                        }
                        else
                        {
                            Remove(obj[key], ChildOf(schema, key), child);
                        }
                    }
                }
                break;
            case JsonArray array when schema is { ListType: "set" or "map" }:
                for (var i = array.Count - 1; i >= 0; i--)
                {
                    if (gone.Children.TryGetValue(ElementOf(array[i], schema), out var child))
                    {
                        if (child.Member)
                        {
                            array.RemoveAt(i);
                        }
                        else
                        {
                            Remove(array[i], schema.Items, child);
                        }
                    }
                }
                break;
        }
    }

    public static string ElementOf(JsonNode? item, SchemaNode list) =>
        list.ListType == "map" ? "k:" + Json.ToText(ListTypes.KeyOf(item, list)) : "v:" + Json.ToText(item);

    private static bool IsAtomic(JsonObject obj, SchemaNode? schema) => schema?.AtomicMap == true || (obj.Count == 0 && schema is null);

    private static SchemaNode? ChildOf(SchemaNode? schema, string key) => schema?.Child(key);

    private static Dictionary<string, JsonNode?> ByElement(JsonArray array, SchemaNode schema)
    {
        var result = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in array)
        {
            result.TryAdd(ElementOf(item, schema), item);
        }
        return result;
    }

    private static void MarkAll(JsonNode? value, SchemaNode? schema, FieldSet into)
    {
        into.Member = true;
        switch (value)
        {
            case JsonObject obj when !IsAtomic(obj, schema):
                foreach (var (key, child) in obj)
                {
                    MarkAll(child, ChildOf(schema, key), into.Child("f:" + key));
                }
                break;
            case JsonArray array when schema is { ListType: "set" or "map" }:
                foreach (var item in array)
                {
                    var element = into.Child(ElementOf(item, schema));
                    element.Member = true;
                    if (schema.ListType == "map")
                    {
                        MarkAll(item, schema.Items, element);
                    }
                }
                break;
        }
    }
}
