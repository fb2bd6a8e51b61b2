using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Discovery;

/// <summary>Builds one OpenAPI 3 document. Shared definitions become components; custom kinds carry the schema as it was written.</summary>
internal sealed class OpenApiDocument
{
    private readonly JsonObject _schemas = [];

    public static JsonObject Build(string path, IReadOnlyList<KindInfo> kinds)
    {
        var document = new OpenApiDocument();
        var paths = new JsonObject();
        foreach (var kind in kinds)
        {
            document.AddKind(path, kind, paths);
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = VersionInfo.GitVersion },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = document._schemas },
        };
    }

    private void AddKind(string prefix, KindInfo kind, JsonObject paths)
    {
        var name = ComponentName(kind);
        var schema = kind.IsCustom ? Custom(kind) : Inline(kind.Schema);
        schema["x-kubernetes-group-version-kind"] = new JsonArray((JsonNode)Gvk(kind));
        if (kind.Description.Length > 0)
        {
            schema["description"] = kind.Description;
        }
        _schemas[name] = schema;
        var collection = kind.Namespaced ? $"/{prefix}/namespaces/{{namespace}}/{kind.Plural}" : $"/{prefix}/{kind.Plural}";
        paths[collection] = Operations(kind, name,
            [("get", "list", []), ("post", "post", ["dryRun", "fieldManager", "fieldValidation"]),
            ("delete", "deletecollection", ["dryRun"])]);
        if (kind.IsReview)
        {
            return;
        }
        paths[collection + "/{name}"] = Operations(kind, name,
            [("get", "get", []), ("put", "put", ["dryRun", "fieldManager", "fieldValidation"]),
                ("patch", "patch", ["dryRun", "fieldManager", "fieldValidation", "force"]),
                ("delete", "delete", ["dryRun", "gracePeriodSeconds", "propagationPolicy"])]);
        if (kind.HasStatus)
        {
            paths[collection + "/{name}/status"] = Operations(kind, name,
                [("get", "get", []), ("put", "put", ["dryRun", "fieldManager", "fieldValidation"]),
                    ("patch", "patch", ["dryRun", "fieldManager", "fieldValidation", "force"])]);
        }
    }

    private static JsonObject Operations(KindInfo kind, string component, (string Method, string Action, string[] Query)[] operations)
    {
        var item = new JsonObject();
        foreach (var (method, action, query) in operations)
        {
            var parameters = new JsonArray();
            foreach (var parameter in query)
            {
                parameters.Add((JsonNode)new JsonObject
                {
                    ["name"] = parameter,
                    ["in"] = "query",
                    ["schema"] = new JsonObject { ["type"] = parameter == "force" ? "boolean" : "string", ["uniqueItems"] = true },
                });
            }
            var reference = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/" + component } };
            var operation = new JsonObject
            {
                ["operationId"] = $"{action}{kind.Kind}",
                ["parameters"] = parameters,
                ["responses"] = new JsonObject
                {
                    ["200"] = new JsonObject
                    {
                        ["description"] = "OK",
                        ["content"] = new JsonObject { ["application/json"] = reference.DeepClone() }
                    }
                },
                ["x-kubernetes-action"] = action,
                ["x-kubernetes-group-version-kind"] = Gvk(kind),
            };
            if (method is "post" or "put")
            {
                operation["requestBody"] = new JsonObject { ["content"] = new JsonObject { ["*/*"] = reference } };
            }
            else if (method == "patch")
            {
                var content = new JsonObject();
                foreach (var type in (string[])["application/json-patch+json", "application/merge-patch+json",
                    "application/apply-patch+yaml"])
                {
                    content[type] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } };
                }
                operation["requestBody"] = new JsonObject { ["content"] = content };
            }
            item[method] = operation;
        }
        return item;
    }

    private static JsonObject Gvk(KindInfo kind) => new() { ["group"] = kind.Group, ["kind"] = kind.Kind, ["version"] = kind.Version };

    private static string ComponentName(KindInfo kind) => kind.IsCustom
        ? $"{string.Join(".", kind.Group.Split('.').Reverse())}.{kind.Version}.{kind.Kind}"
        : $"io.k8s.api.{(kind.Group.Length == 0 ? "core" : kind.Group.Split('.')[0])}.{kind.Version}.{kind.Kind}";

    private JsonObject Custom(KindInfo kind)
    {
        var schema = kind.Schema.Raw is { } raw
            ? Json.Clone(raw)
            : new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        var properties = Json.Ensure(schema, "properties");
        properties["apiVersion"] = new JsonObject { ["type"] = "string", ["description"] = "Group and version of the object" };
        properties["kind"] = new JsonObject { ["type"] = "string", ["description"] = "Kind of the object" };
        properties["metadata"] = Reference(BuiltinSchemas.ObjectMeta);
        return schema;
    }

    private JsonObject Reference(SchemaNode node)
    {
        var name = "io.k8s.api." + node.TypeName;
        if (!_schemas.ContainsKey(name))
        {
            _schemas[name] = new JsonObject();
            _schemas[name] = Inline(node);
        }
        return new JsonObject
        {
            ["allOf"] = new JsonArray((JsonNode)new JsonObject { ["$ref"] = "#/components/schemas/" + name }),
            ["description"] = node.Description,
            ["default"] = new JsonObject(),
        };
    }

    private JsonObject Any(SchemaNode node) => node.TypeName.Length > 0 ? Reference(node) : Inline(node);

    private JsonObject Inline(SchemaNode node)
    {
        var schema = new JsonObject();
        var type = node.IntOrString || node.Format == "quantity" ? "string" : node.PreserveUnknownFields && node.Type.Length == 0 ? "object"
            : node.Type;
        if (type.Length > 0)
        {
            schema["type"] = type;
        }
        if (node.IntOrString)
        {
            schema["format"] = "int-or-string";
        }
        else if (node.Format.Length > 0 && node.Format != "quantity")
        {
            schema["format"] = node.Format;
        }
        if (node.Description.Length > 0)
        {
            schema["description"] = node.Description;
        }
        if (node.Enum is { } values)
        {
            schema["enum"] = values.DeepClone();
        }
        if (node.Items is { } items)
        {
            schema["items"] = Any(items);
            if (node.ListType != "atomic" || !node.PatchMerge)
            {
                schema["x-kubernetes-list-type"] = node.ListType;
            }
            if (node.ListMapKeys.Count > 0)
            {
                schema["x-kubernetes-list-map-keys"] = Json.Strings(node.ListMapKeys);
            }
            if (node.PatchMerge)
            {
                schema["x-kubernetes-patch-strategy"] = "merge";
                if (node.PatchMergeKey is { } key)
                {
                    schema["x-kubernetes-patch-merge-key"] = key;
                }
            }
        }
        if (node.AdditionalProperties is { } additional)
        {
            schema["additionalProperties"] = Any(additional);
        }
        if (node.Properties.Count > 0)
        {
            var properties = new JsonObject();
            foreach (var (name, child) in node.Properties)
            {
                properties[name] = Any(child);
            }
            schema["properties"] = properties;
        }
        if (node.Required.Count > 0)
        {
            schema["required"] = Json.Strings(node.Required);
        }
        if (node.AtomicMap)
        {
            schema["x-kubernetes-map-type"] = "atomic";
        }
        if (node.PreserveUnknownFields)
        {
            schema["x-kubernetes-preserve-unknown-fields"] = true;
        }
        return schema;
    }
}
