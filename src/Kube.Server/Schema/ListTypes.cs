using System.Text.Json.Nodes;

namespace Kube.Server.Schema;

/// <summary>Uniqueness of lists of type set and map.</summary>
internal static class ListTypes
{
    public static void Validate(JsonNode? value, SchemaNode schema, string path, List<FieldError> errors)
    {
        switch (value)
        {
            case JsonObject obj:
                foreach (var (key, child) in obj)
                {
                    if (schema.Child(key) is { } childSchema && (path.Length > 0 || key != "metadata"))
                    {
                        Validate(child, childSchema, path.Length == 0 ? key : path + "." + key, errors);
                    }
                }
                break;
            case JsonArray array when schema.Items is { } items:
                if (schema.ListType is "set" or "map")
                {
                    var seen = new HashSet<string>(StringComparer.Ordinal);
                    for (var i = 0; i < array.Count; i++)
                    {
                        var shown = schema.ListType == "set" ? array[i] : KeyOf(array[i], schema);
                        if (!seen.Add(Json.ToText(shown)))
                        {
                            errors.Add(FieldError.Duplicate($"{path}[{i}]", shown));
                        }
                    }
                }
                for (var i = 0; i < array.Count; i++)
                {
                    Validate(array[i], items, $"{path}[{i}]", errors);
                }
                break;
        }
    }

    /// <summary>The key fields of an item of a map list, defaults filled in.</summary>
    public static JsonObject KeyOf(JsonNode? item, SchemaNode list)
    {
        var key = new JsonObject();
        foreach (var name in list.ListMapKeys.Order(StringComparer.Ordinal))
        {
            var value = Json.At(item, name) ?? list.Items?.Child(name)?.Default;
            if (value is not null)
            {
                key[name] = value.DeepClone();
            }
        }
        return key;
    }
}
