using System.Text.Json.Nodes;

namespace Berth.Operator.Tests;

/// <summary>The patch kinds that the operator and people use, on JSON trees. None changes what it is given.</summary>
internal static class Merging
{
    /// <summary>Puts an applied configuration over an object: objects and lists with keys are merged, everything else replaced.</summary>
    internal static JsonNode Apply(ListKeys keys, JsonNode? live, JsonNode applied, string path = "")
    {
        if (applied is JsonObject wanted && !ListKeys.IsAtomic(path))
        {
            var merged = live is JsonObject ? (JsonObject)live.DeepClone() : [];
            foreach (var (name, value) in wanted)
            {
                if (value is not null)
                {
                    var below = path.Length == 0 ? name : $"{path}.{name}";
                    merged[name] = Apply(keys, merged[name], value, below);
                }
            }

            return merged;
        }

        if (applied is JsonArray list && keys.IsKeyed(path))
        {
            var merged = live is JsonArray ? (JsonArray)live.DeepClone() : [];
            foreach (var item in list)
            {
                var found = keys.Find(merged, path, keys.KeyOf(item!, path));
                var next = Apply(keys, found, item!, path + "[]");
                if (found is null)
                {
                    merged.Add(next);
                }
                else
                {
                    merged[merged.IndexOf(found)] = next;
                }
            }

            return merged;
        }

        return applied.DeepClone();
    }

    /// <summary>RFC 7396.</summary>
    internal static JsonNode? MergePatch(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
        {
            return patch?.DeepClone();
        }

        var result = target is JsonObject ? (JsonObject)target.DeepClone() : [];
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = MergePatch(result[name], value);
            }
        }

        return result;
    }

    /// <summary>RFC 6902: test, remove, add and replace. Null when a test fails or a path leads nowhere.</summary>
    internal static JsonObject? JsonPatch(JsonObject target, JsonArray operations)
    {
        var result = (JsonObject)target.DeepClone();
        foreach (var operation in operations)
        {
            var path = operation!["path"]!.GetValue<string>().Split('/')[1..];
            var parent = (JsonNode?)result;
            foreach (var name in path[..^1])
            {
                parent = parent is JsonArray items && int.TryParse(name, out var i) && i < items.Count ? items[i] : (parent as JsonObject)?[name];
            }

            if (parent is null || !Do(parent, path[^1].Replace("~1", "/", StringComparison.Ordinal), operation))
            {
                return null;
            }
        }

        return result;
    }

    private static bool Do(JsonNode parent, string name, JsonNode operation)
    {
        var index = int.TryParse(name, out var number) ? number : -1;
        var there = parent is JsonArray list ? (index >= 0 && index < list.Count ? list[index] : null) : parent[name];
        switch (operation["op"]!.GetValue<string>())
        {
            case "test":
                return there is not null && JsonNode.DeepEquals(there, operation["value"]);
            case "remove" when there is not null && parent is JsonArray array:
                array.RemoveAt(index);
                return true;
            case "remove" when there is not null:
                ((JsonObject)parent).Remove(name);
                return true;
            case "add" or "replace" when parent is JsonObject obj:
                obj[name] = operation["value"]?.DeepClone();
                return true;
            case "add" when parent is JsonArray array:
                array.Insert(name == "-" ? array.Count : index, operation["value"]?.DeepClone());
                return true;
            default:
                return false;
        }
    }
}
