using System.Globalization;
using System.Text.Json.Nodes;

namespace Kube.Server.Patch;

/// <summary>JSON Patch (RFC 6902). What cannot be applied is a 422, as in Kubernetes.</summary>
internal static class JsonPatch
{
    private const int MaxOperations = 10_000;

    public static JsonNode? Apply(JsonNode? document, JsonArray operations)
    {
        if (operations.Count > MaxOperations)
        {
            throw new ApiException(413, "RequestEntityTooLarge",
                $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}");
        }
        // A holder, so that the root itself can be replaced.
        var holder = new JsonObject { ["root"] = document };
        foreach (var item in operations)
        {
            if (item is not JsonObject operation || Json.Text(operation, "op") is not { } op
                || Json.Text(operation, "path") is not { } path)
            {
                throw Status.BadRequest("json patch: each operation needs op and path");
            }
            Run(holder, op, path, operation);
        }
        var result = holder["root"];
        holder.Remove("root");
        return result;
    }

    private static void Run(JsonObject holder, string op, string path, JsonObject operation)
    {
        switch (op)
        {
            case "add":
                Add(holder, path, Value(operation, op));
                break;
            case "remove":
                Remove(holder, path, op);
                break;
            case "replace":
                Find(holder, path, op);
                Replace(holder, path, Value(operation, op));
                break;
            case "move":
                var from = Json.Text(operation, "from") ?? throw Fail("move operation needs from");
                if (path.StartsWith(from + "/", StringComparison.Ordinal))
                {
                    throw Fail($"move operation does not apply: {path} is inside {from}");
                }
                Add(holder, path, Remove(holder, from, op));
                break;
            case "copy":
                var source = Json.Text(operation, "from") ?? throw Fail("copy operation needs from");
                Add(holder, path, Find(holder, source, op)?.DeepClone());
                break;
            case "test":
                if (!Json.DeepEquals(Find(holder, path, op), operation["value"]))
                {
                    throw Fail($"testing value {path} failed");
                }
                break;
            default:
                throw Fail($"unexpected kind: {op}");
        }
    }

    private static JsonNode? Value(JsonObject operation, string op) =>
        operation.ContainsKey("value") ? operation["value"]?.DeepClone() : throw Fail($"{op} operation needs value");

    private static ApiException Fail(string message) =>
        new(422, "Invalid", "the server rejected our request due to an error in our request: " + message, new JsonObject
        {
            ["causes"] = new JsonArray(
            (JsonNode)new JsonObject { ["reason"] = "FieldValueInvalid", ["message"] = message, ["field"] = "patch" }),
        });

    private static (JsonNode Parent, string Key) Locate(JsonObject holder, string path, string op)
    {
        if (path.Length == 0)
        {
            return (holder, "root");
        }
        if (path[0] != '/')
        {
            throw Fail($"{op} operation does not apply: path \"{path}\" does not start with /");
        }
        var parts = path[1..].Split('/')
            .Select(p => p.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToArray();
        var node = holder["root"];
        foreach (var part in parts[..^1])
        {
            node = Child(node, part, out var found);
            if (!found)
            {
                throw Fail($"{op} operation does not apply: doc is missing path: \"{path}\": missing value");
            }
        }
        return node is null or JsonValue
            ? throw Fail($"{op} operation does not apply: doc is missing path: \"{path}\": missing value")
            : (node, parts[^1]);
    }

    private static JsonNode? Child(JsonNode? node, string key, out bool found)
    {
        found = false;
        switch (node)
        {
            case JsonObject obj:
                found = obj.TryGetPropertyValue(key, out var value);
                return value;
            case JsonArray array when int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                && index < array.Count:
                found = true;
                return array[index];
            default:
                return null;
        }
    }

    private static JsonNode? Find(JsonObject holder, string path, string op)
    {
        var (parent, key) = Locate(holder, path, op);
        var value = Child(parent, key, out var found);
        return found ? value : throw Fail($"{op} operation does not apply: doc is missing key: {path}: missing value");
    }

    private static void Add(JsonObject holder, string path, JsonNode? value)
    {
        var (parent, key) = Locate(holder, path, "add");
        if (parent is JsonObject obj)
        {
            obj[key] = value;
            return;
        }
        var array = (JsonArray)parent;
        var index = array.Count;
        if (key != "-" && (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out index) || index > array.Count))
        {
            throw Fail($"add operation does not apply: index {key} is out of bounds");
        }
        array.Insert(index, value);
    }

    private static void Replace(JsonObject holder, string path, JsonNode? value)
    {
        var (parent, key) = Locate(holder, path, "replace");
        if (parent is JsonObject obj)
        {
            obj[key] = value;
        }
        else
        {
            ((JsonArray)parent)[int.Parse(key, CultureInfo.InvariantCulture)] = value;
        }
    }

    private static JsonNode? Remove(JsonObject holder, string path, string op)
    {
        var value = Find(holder, path, op);
        var (parent, key) = Locate(holder, path, op);
        if (parent is JsonObject obj)
        {
            obj.Remove(key);
        }
        else
        {
            ((JsonArray)parent).RemoveAt(int.Parse(key, CultureInfo.InvariantCulture));
        }
        return value;
    }
}
