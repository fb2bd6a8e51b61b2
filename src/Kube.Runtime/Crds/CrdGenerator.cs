using System.Reflection;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Schema;

namespace Kube.Runtime;

/// <summary>Writes the CustomResourceDefinition (apiextensions.k8s.io/v1) of a kind from its C# type, so that the two cannot drift
/// apart.</summary>
/// <remarks>
/// Names and types come from the kind's source-generated JSON metadata: the schema describes exactly what is serialised. Constraints come
/// from the attributes of System.ComponentModel and of <c>Kube.Client.Schema</c>. The output is deterministic (fields in ordinal order).
/// Unknown fields are pruned unless
/// <see cref="PreserveUnknownFieldsAttribute"/> says otherwise. Meant for build time, though nothing in it needs more than the trimmer
/// keeps.
/// </remarks>
public static class CrdGenerator
{
    /// <summary>The definition as YAML, ending in a new line.</summary>
    /// <param name="celRules">
    /// False leaves the CEL rules out. Servers before 1.25 do not enforce them, and kubectl refuses to send them to such a server without
    /// <c>--validate=false</c>.
    /// </param>
    /// <exception cref="CrdException">The type has something that no structural schema can express; the message names the
    /// field.</exception>
    public static string ToYaml<T>(bool celRules = true)
        where T : class, IKubeResource<T> => CrdYaml.Write(ToJson<T>(celRules));

    /// <summary>The definition as JSON, for creating it through the API.</summary>
    /// <inheritdoc cref="ToYaml{T}" path="/param"/>
    /// <exception cref="CrdException">The type has something that no structural schema can express; the message names the
    /// field.</exception>
    public static JsonObject ToJson<T>(bool celRules = true)
        where T : class, IKubeResource<T>
    {
        var kind = T.Descriptor;
        if (kind.Group.Length == 0)
        {
            throw new CrdException($"{kind.Kind} is of the core group: only kinds with a group of their own can be custom resources.");
        }

        var names = typeof(T).GetCustomAttribute<ResourceNamesAttribute>();
        var schema = CrdSchema.ForRoot(T.JsonTypeInfo);
        if (!celRules)
        {
            DropRules(schema);
        }

        return new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new JsonObject { ["name"] = $"{kind.Plural}.{kind.Group}" },
            ["spec"] = new JsonObject
            {
                ["group"] = kind.Group,
                ["names"] = Names(kind, names),
                ["scope"] = kind.Namespaced ? "Namespaced" : "Cluster",
                ["versions"] = new JsonArray(Version<T>(schema)),
            },
        };
    }

    private static void DropRules(JsonNode? node)
    {
        if (node is JsonObject obj)
        {
            obj.Remove(CrdSchema.Rules);
            foreach (var (_, child) in obj)
            {
                DropRules(child);
            }
        }
    }

    private static JsonObject Names(ResourceDescriptor kind, ResourceNamesAttribute? names)
    {
        var json = new JsonObject();
        if (names?.Categories is { Length: > 0 } categories)
        {
            json["categories"] = CrdSchema.Strings(categories);
        }

        json["kind"] = kind.Kind;
        json["listKind"] = kind.Kind + "List";
        json["plural"] = kind.Plural;
        if (names?.ShortNames is { Length: > 0 } shortNames)
        {
            json["shortNames"] = CrdSchema.Strings(shortNames);
        }

        json["singular"] = kind.Kind.ToLowerInvariant();
        return json;
    }

    private static JsonObject Version<T>(JsonObject schema)
        where T : class, IKubeResource<T>
    {
        var version = new JsonObject();
        var columns = typeof(T).GetCustomAttributes<PrinterColumnAttribute>().Select(Column).ToArray();
        if (columns.Length > 0)
        {
            version["additionalPrinterColumns"] = new JsonArray(columns);
        }

        version["name"] = T.Descriptor.Version;
        version["schema"] = new JsonObject { ["openAPIV3Schema"] = schema };
        version["served"] = true;
        version["storage"] = true;
        if (schema["properties"]!.AsObject().ContainsKey("status"))
        {
            version["subresources"] = new JsonObject { ["status"] = new JsonObject() };
        }

        return version;
    }

    private static JsonNode Column(PrinterColumnAttribute column)
    {
        var json = new JsonObject { ["jsonPath"] = column.JsonPath, ["name"] = column.Name };
        if (column.Priority != 0)
        {
            json["priority"] = column.Priority;
        }

        json["type"] = column.Type;
        return json;
    }
}

/// <summary>A C# type cannot be described by a structural schema.</summary>
public sealed class CrdException(string message) : Exception(message);
