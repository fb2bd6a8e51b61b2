using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Patch;

/// <summary>
/// Strategic merge patch, in place: like a merge patch, but lists that have a merge key are merged item by item. Understands the directives
/// <c>$patch: replace|delete|merge</c>, <c>$deleteFromPrimitiveList/x</c>, <c>$setElementOrder/x</c> and <c>$retainKeys</c>.
/// </summary>
internal static class StrategicPatch
{
    public static void Apply(JsonObject target, JsonObject patch, SchemaNode? schema)
    {
        switch (Json.Text(patch, "$patch"))
        {
            case "replace":
                target.Clear();
                foreach (var (key, value) in patch)
                {
                    if (key != "$patch")
                    {
                        target[key] = value?.DeepClone();
                    }
                }
                return;
            case "delete":
                target.Clear();
                return;
        }
        if (patch["$retainKeys"] is JsonArray retain)
        {
            var keep = Json.StringItems(retain).ToHashSet(StringComparer.Ordinal);
            foreach (var key in target.Select(pair => pair.Key).Where(key => !keep.Contains(key)).ToList())
            {
                target.Remove(key);
            }
        }
        foreach (var (key, value) in patch)
        {
            if (key.StartsWith("$deleteFromPrimitiveList/", StringComparison.Ordinal) && target[key[25..]] is JsonArray primitives)
            {
                foreach (var gone in value as JsonArray ?? [])
                {
                    foreach (var match in primitives.Where(item => Json.DeepEquals(item, gone)).ToList())
                    {
                        primitives.Remove(match);
                    }
                }
            }
        }
        foreach (var (key, value) in patch)
        {
            if (!key.StartsWith('$'))
            {
                ApplyField(target, key, value, schema?.Child(key));
            }
        }
        foreach (var (key, value) in patch)
        {
            if (key.StartsWith("$setElementOrder/", StringComparison.Ordinal) && target[key[17..]] is JsonArray list
                && value is JsonArray order)
            {
                Sort(list, order, schema?.Child(key[17..])?.PatchMergeKey);
            }
        }
    }

    private static void ApplyField(JsonObject target, string key, JsonNode? value, SchemaNode? schema)
    {
        switch (value)
        {
            case null:
                target.Remove(key);
                break;
            case JsonObject inner:
                if (target[key] is not JsonObject present)
                {
                    if (Json.Text(inner, "$patch") == "delete")
                    {
                        return;
                    }
                    present = [];
                    target[key] = present;
                }
                if (Json.Text(inner, "$patch") == "delete")
                {
                    target.Remove(key);
                    return;
                }
                Apply(present, inner, schema);
                break;
            case JsonArray items when schema is { PatchMerge: true }:
                if (target[key] is not JsonArray list)
                {
                    list = [];
                    target[key] = list;
                }
                MergeList(list, items, schema);
                break;
            default:
                target[key] = value.DeepClone();
                break;
        }
    }

    private static void MergeList(JsonArray list, JsonArray patch, SchemaNode schema)
    {
        if (patch.OfType<JsonObject>().Any(item => Json.Text(item, "$patch") == "replace"))
        {
            list.Clear();
        }
        foreach (var item in patch)
        {
            if (schema.PatchMergeKey is not { } mergeKey || item is not JsonObject obj)
            {
                if (item is not JsonObject && !list.Any(present => Json.DeepEquals(present, item)))
                {
                    list.Add(item?.DeepClone());
                }
                continue;
            }
            var directive = Json.Text(obj, "$patch");
            if (directive == "replace" && obj.Count == 1)
            {
                continue;
            }
            if (!obj.TryGetPropertyValue(mergeKey, out var keyValue))
            {
                throw new ApiException(422, "Invalid", $"map: {Json.ToText(obj)} does not contain declared merge key: {mergeKey}");
            }
            var found = list.OfType<JsonObject>().FirstOrDefault(present => Json.DeepEquals(present[mergeKey], keyValue));
            if (directive == "delete")
            {
                if (found is not null)
                {
                    list.Remove(found);
                }
                continue;
            }
            if (found is null)
            {
                found = [];
                list.Add((JsonNode)found);
            }
            Apply(found, obj, schema.Items);
        }
    }

    // Items named in the order come in that order; the others keep their place relative to what stood before them.
    private static void Sort(JsonArray list, JsonArray order, string? mergeKey)
    {
        JsonNode? KeyOf(JsonNode? item) => mergeKey is null ? item : Json.At(item, mergeKey);
        var rank = new List<(JsonNode? Item, double Rank)>();
        double last = -1;
        foreach (var item in list)
        {
            var at = -1;
            for (var i = 0; i < order.Count; i++)
            {
                if (Json.DeepEquals(KeyOf(order[i]), KeyOf(item)))
                {
                    at = i;
                    break;
                }
            }
            last = at >= 0 ? at : last + 1e-6;
            rank.Add((item, last));
        }
        var sorted = rank.OrderBy(pair => pair.Rank).Select(pair => pair.Item).ToList();
        list.Clear();
        foreach (var item in sorted)
        {
            list.Add(item);
        }
    }
}
