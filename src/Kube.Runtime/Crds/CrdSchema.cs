using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Kube.Runtime;

/// <summary>Turns JSON metadata of types into structural OpenAPI v3 schemas.</summary>
internal static class CrdSchema
{
    public const string Rules = "x-kubernetes-validations";

    /// <summary>The schema of a kind: as for any object, but the API server itself looks after metadata.</summary>
    public static JsonObject ForRoot(JsonTypeInfo type)
    {
        var schema = ForObject(type, type.Type.Name, []);
        var properties = schema["properties"]!.AsObject();
        if (properties.ContainsKey("metadata"))
        {
            properties["metadata"] = new JsonObject { ["type"] = "object" };
        }

        properties["apiVersion"] = new JsonObject { ["type"] = "string" };
        properties["kind"] = new JsonObject { ["type"] = "string" };
        return Annotate(schema, type.Type, type.Type.Name);
    }

    public static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(v => (JsonNode)v)]);

    /// <param name="type">What is described.</param>
    /// <param name="path">Where it is, for messages.</param>
    /// <param name="above">The types around it: a schema cannot contain itself.</param>
    private static JsonObject ForType(JsonTypeInfo type, string path, IReadOnlyList<Type> above) =>
        CrdScalars.TryGet(type, path) is { } scalar ? scalar
        : type.Type == typeof(Condition) ? CrdScalars.Condition()
        : type.Kind switch
        {
            JsonTypeInfoKind.Object => Annotate(ForObject(type, path, above), type.Type, path),
            JsonTypeInfoKind.Enumerable => new JsonObject
            {
                ["items"] = ForType(InfoOf(type, type.ElementType!, path), path + "[]", above),
                ["type"] = "array",
            },
            JsonTypeInfoKind.Dictionary when type.KeyType == typeof(string) => new JsonObject
            {
                ["additionalProperties"] = ForType(InfoOf(type, type.ElementType!, path), path + "{}", above),
                ["type"] = "object",
            },
            _ => throw new CrdException(
                $"{path} is of type {type.Type.Name}, which has no structural schema. "
                + "Use a record, a list, a dictionary by string, or a plain value."),
        };

    private static JsonObject ForObject(JsonTypeInfo type, string path, IReadOnlyList<Type> above)
    {
        if (above.Contains(type.Type))
        {
            throw new CrdException($"{path} contains its own type {type.Type.Name}: a structural schema cannot be recursive.");
        }

        IReadOnlyList<Type> below = [.. above, type.Type];
        var root = above.Count == 0;
        var properties = new JsonObject();
        var required = new List<string>();
        foreach (var property in type.Properties.Where(p => p.Get is not null || p.Set is not null)
            .OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            // The server's own: describing metadata would even be refused.
            if (root && property.Name is "apiVersion" or "kind" or "metadata")
            {
                properties[property.Name] = new JsonObject();
                continue;
            }

            var propertyPath = $"{path}.{property.Name}";
            var schema = ForType(InfoOf(type, property.PropertyType, propertyPath), propertyPath, below);
            if (property.AttributeProvider is { } attributes)
            {
                CrdConstraints.Apply(schema, attributes, propertyPath);
                schema = Annotate(schema, attributes, propertyPath);
                if (attributes.IsDefined(typeof(System.ComponentModel.DataAnnotations.RequiredAttribute), true))
                {
                    required.Add(property.Name);
                }
            }

            if (property.IsRequired && !required.Contains(property.Name))
            {
                required.Add(property.Name);
            }

            properties[property.Name] = schema;
        }

        var result = new JsonObject { ["properties"] = properties };
        if (required.Count > 0)
        {
            result["required"] = Strings(required);
        }

        result["type"] = "object";
        return result;
    }

    /// <summary>What both types and properties can carry; a property's description replaces its type's, rules add up.</summary>
    private static JsonObject Annotate(JsonObject schema, ICustomAttributeProvider attributes, string path)
    {
        if (First<DescriptionAttribute>(attributes) is { Description.Length: > 0 } description)
        {
            schema["description"] = description.Description;
        }

        if (First<PreserveUnknownFieldsAttribute>(attributes) is not null)
        {
            schema["x-kubernetes-preserve-unknown-fields"] = true;
            schema["type"] ??= "object";
        }
        else if (schema.Count == 0)
        {
            throw new CrdException($"{path} takes any JSON. Say so with [PreserveUnknownFields], or give it a type.");
        }

        if (attributes.GetCustomAttributes(typeof(CelRuleAttribute), false) is { Length: > 0 } rules)
        {
            var validations = schema[Rules]?.AsArray() ?? [];
            foreach (var rule in rules.Cast<CelRuleAttribute>())
            {
                validations.Add((JsonNode)new JsonObject { ["message"] = rule.Message, ["rule"] = rule.Rule });
            }

            schema[Rules] = validations.Parent is null ? validations : validations.DeepClone();
        }

        return Sorted(schema);
    }

    private static JsonObject Sorted(JsonObject schema) =>
        new(schema.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));

    private static TAttribute? First<TAttribute>(ICustomAttributeProvider attributes)
        where TAttribute : Attribute => attributes.GetCustomAttributes(typeof(TAttribute), false).OfType<TAttribute>().FirstOrDefault();

    private static JsonTypeInfo InfoOf(JsonTypeInfo around, Type type, string path)
    {
        try
        {
            return around.Options.GetTypeInfo(Nullable.GetUnderlyingType(type) ?? type);
        }
        catch (NotSupportedException e)
        {
            throw new CrdException($"{path}: the JSON context of {around.Type.Name} knows nothing of {type.Name} ({e.Message})");
        }
    }
}
