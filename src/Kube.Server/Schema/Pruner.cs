using System.Text.Json.Nodes;

namespace Kube.Server.Schema;

/// <summary>Removes what the schema does not know, and reports the paths (for strict and warning field validation).</summary>
internal static class Pruner
{
    public static void Prune(JsonNode? value, SchemaNode schema, List<string>? unknown) => Prune(value, schema, new FieldTrail(unknown));

    private static void Prune(JsonNode? value, SchemaNode schema, FieldTrail trail)
    {
        switch (value)
        {
            case JsonObject obj:
                PruneObject(obj, schema, trail);
                break;
            case JsonArray array when schema.Items is { } items:
                for (var i = 0; i < array.Count; i++)
                {
                    trail.Enter(i);
                    Prune(array[i], items, trail);
                    trail.Leave();
                }
                break;
        }
    }

    private static void PruneObject(JsonObject obj, SchemaNode schema, FieldTrail trail)
    {
        List<string>? drop = null;
        foreach (var (key, child) in obj)
        {
            trail.Enter(key);
            if (schema.Properties.TryGetValue(key, out var known))
            {
                Prune(child, known, trail);
            }
            else if (schema.EmbeddedResource && key is "apiVersion" or "kind" or "metadata" && schema.EmbeddedResource)
            {
                if (key == "metadata")
                {
                    Prune(child, BuiltinSchemas.ObjectMeta, trail);
                }
            }
            else if (schema.AdditionalProperties is { } additional)
            {
                Prune(child, additional, trail);
            }
            else if (!schema.PreserveUnknownFields)
            {
                (drop ??= []).Add(key);
                trail.Note();
            }
            trail.Leave();
        }
        foreach (var key in drop ?? [])
        {
            obj.Remove(key);
        }
    }

    /// <summary>
    /// Removes nulls where the schema allows none and has no default to put there (with a default, defaulting replaces them).
    /// </summary>
    public static void DropNulls(JsonNode? value, SchemaNode schema)
    {
        switch (value)
        {
            case JsonObject obj:
                List<string>? drop = null;
                foreach (var (key, child) in obj)
                {
                    var childSchema = schema.Child(key);
                    if (child is null && childSchema is not null && !childSchema.Nullable && !childSchema.HasDefault
                        && schema.Properties.ContainsKey(key))
                    {
                        (drop ??= []).Add(key);
                    }
                    else if (childSchema is not null)
                    {
                        DropNulls(child, childSchema);
                    }
                }
                foreach (var key in drop ?? [])
                {
                    obj.Remove(key);
                }
                break;
            case JsonArray array when schema.Items is { } items:
                foreach (var child in array)
                {
                    DropNulls(child, items);
                }
                break;
        }
    }
}
