using System.Text.Json.Nodes;

namespace Kube.Server.Schema;

/// <summary>Fills in defaults, parents before children; a null is replaced only where null is not allowed.</summary>
internal static class Defaulter
{
    public static void Apply(JsonNode? value, SchemaNode schema)
    {
        if (!schema.AnyDefault)
        {
            return;
        }
        switch (value)
        {
            case JsonObject obj:
                foreach (var (key, child) in schema.Properties)
                {
                    if (child.HasDefault && (!obj.TryGetPropertyValue(key, out var present) || (present is null && !child.Nullable)))
                    {
                        obj[key] = child.Default?.DeepClone();
                    }
                }
                foreach (var (key, child) in obj)
                {
                    if (schema.Child(key) is { } childSchema)
                    {
                        Apply(child, childSchema);
                    }
                }
                break;
            case JsonArray array when schema.Items is { } items:
                foreach (var child in array)
                {
                    Apply(child, items);
                }
                break;
        }
    }

    /// <summary>Whether <see cref="Apply"/> would change anything: reads copy only then.</summary>
    public static bool Needs(JsonNode? value, SchemaNode schema)
    {
        if (!schema.AnyDefault)
        {
            return false;
        }
        switch (value)
        {
            case JsonObject obj:
                foreach (var (key, child) in schema.Properties)
                {
                    if (child.HasDefault && (!obj.TryGetPropertyValue(key, out var present) || (present is null && !child.Nullable)))
                    {
                        return true;
                    }
                }
                return obj.Any(pair => schema.Child(pair.Key) is { } childSchema && Needs(pair.Value, childSchema));
            case JsonArray array when schema.Items is { } items:
                return array.Any(child => Needs(child, items));
            default:
                return false;
        }
    }
}
