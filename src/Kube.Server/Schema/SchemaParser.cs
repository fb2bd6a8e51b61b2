using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kube.Server.Cel;

namespace Kube.Server.Schema;

/// <summary>
/// Turns a CRD's openAPIV3Schema into nodes and checks that it is structural: what is not is listed in <see cref="Errors"/>.
/// </summary>
internal sealed class SchemaParser
{
    private static readonly HashSet<string> KnownTypes = ["object", "array", "string", "integer", "number", "boolean"];

    public List<FieldError> Errors { get; } = [];

    private static readonly string[] Flags =
        ["nullable", "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource", "x-kubernetes-preserve-unknown-fields"];

    private readonly HashSet<JsonObject> _mayHaveType = [];

    public SchemaNode Parse(JsonObject raw, string path) => Parse(raw, path, insideJunctor: false, root: true, 0);

    private SchemaNode Parse(JsonObject raw, string path, bool insideJunctor, bool root, int depth)
    {
        var node = new SchemaNode
        {
            Raw = root ? raw : null,
            Type = Json.Text(raw, "type") ?? "",
            Format = Json.Text(raw, "format") ?? "",
            Description = Json.Text(raw, "description") ?? "",
            Nullable = Json.AsBool(raw["nullable"]),
            Enum = raw["enum"] as JsonArray,
            Default = raw["default"],
            HasDefault = raw.ContainsKey("default") && raw["default"] is not null,
            Minimum = Number(raw, "minimum"),
            Maximum = Number(raw, "maximum"),
            ExclusiveMinimum = Json.AsBool(raw["exclusiveMinimum"]),
            ExclusiveMaximum = Json.AsBool(raw["exclusiveMaximum"]),
            MultipleOf = Number(raw, "multipleOf"),
            MinLength = Json.AsLong(raw["minLength"]),
            MaxLength = Json.AsLong(raw["maxLength"]),
            MinItems = Json.AsLong(raw["minItems"]),
            MaxItems = Json.AsLong(raw["maxItems"]),
            UniqueItems = Json.AsBool(raw["uniqueItems"]),
            MinProperties = Json.AsLong(raw["minProperties"]),
            MaxProperties = Json.AsLong(raw["maxProperties"]),
            PreserveUnknownFields = Json.AsBool(raw["x-kubernetes-preserve-unknown-fields"]),
            EmbeddedResource = Json.AsBool(raw["x-kubernetes-embedded-resource"]),
            IntOrString = Json.AsBool(raw["x-kubernetes-int-or-string"]),
            ListType = Json.Text(raw, "x-kubernetes-list-type") ?? "atomic",
            AtomicMap = Json.Text(raw, "x-kubernetes-map-type") == "atomic",
            PatternText = Json.Text(raw, "pattern"),
        };
        if (depth > 64)
        {
            Errors.Add(FieldError.Forbidden(path, "the schema is nested too deeply"));
            return node;
        }
        CheckShape(raw, node, path, insideJunctor, root);
        node.Required.AddRange(Json.StringItems(raw["required"]));
        node.ListMapKeys.AddRange(Json.StringItems(raw["x-kubernetes-list-map-keys"]));
        if (node.PatternText is { } pattern)
        {
            try
            {
                node.Pattern = GoRegex.Compile(pattern);
            }
            catch (ArgumentException e)
            {
                Errors.Add(FieldError.Invalid(path + ".pattern", pattern, "must be a valid regular expression, but isn't: " + e.Message));
            }
        }
        foreach (var (key, value) in raw["properties"] as JsonObject ?? [])
        {
            if (value is JsonObject child)
            {
                node.Properties[key] = Parse(child, $"{path}.properties[{key}]", insideJunctor, false, depth + 1);
            }
        }
        if (raw["additionalProperties"] is JsonObject additional)
        {
            node.AdditionalProperties = Parse(additional, path + ".additionalProperties", insideJunctor, false, depth + 1);
        }
        else if (Json.AsBool(raw["additionalProperties"]))
        {
            node.AdditionalProperties = SchemaNode.Anything;
        }
        if (raw["items"] is JsonObject items)
        {
            node.Items = Parse(items, path + ".items", insideJunctor, false, depth + 1);
        }
        if (node.IntOrString)
        {
            AllowIntOrString(raw);
        }
        Junctor(raw, "allOf", node.AllOf, path, depth);
        Junctor(raw, "anyOf", node.AnyOf, path, depth);
        Junctor(raw, "oneOf", node.OneOf, path, depth);
        if (raw["not"] is JsonObject not)
        {
            node.Not = Parse(not, path + ".not", true, false, depth + 1);
        }
        if (root)
        {
            // Every object has these whether its schema names them or not.
            node.Properties.TryAdd("apiVersion", new SchemaNode { Type = "string" });
            node.Properties.TryAdd("kind", new SchemaNode { Type = "string" });
            node.Properties["metadata"] = BuiltinSchemas.ObjectMeta;
        }
        ParseRules(raw, node, path, insideJunctor);
        CheckLists(node, path);
        node.AnyDefault = node.HasDefault || Children(node).Any(child => child.AnyDefault);
        node.AnyValidation = node.Validations.Count > 0 || Children(node).Any(child => child.AnyValidation);
        if (node.HasDefault)
        {
            CheckDefault(node, path);
        }
        return node;
    }

    private static IEnumerable<SchemaNode> Children(SchemaNode node)
    {
        IEnumerable<SchemaNode> children = node.Properties.Values;
        if (node.AdditionalProperties is { } additional)
        {
            children = children.Append(additional);
        }
        return node.Items is { } items ? children.Append(items) : children;
    }

    private void CheckShape(JsonObject raw, SchemaNode node, string path, bool insideJunctor, bool root)
    {
        if (raw["$ref"] is not null)
        {
            Errors.Add(FieldError.Forbidden(path + ".$ref", "$ref is not supported"));
        }
        if (node.Type.Length > 0 && !KnownTypes.Contains(node.Type))
        {
            Errors.Add(FieldError.NotSupported(path + ".type", node.Type, KnownTypes));
        }
        if (root && node.Type != "object")
        {
            Errors.Add(node.Type.Length == 0
                ? FieldError.Required(path + ".type", "must not be empty at the root")
                : FieldError.Invalid(path + ".type", node.Type, "must be object at the root"));
        }
        else if (!insideJunctor && node.Type.Length == 0 && !node.IntOrString && !node.PreserveUnknownFields)
        {
            Errors.Add(FieldError.Required(path + ".type",
                "must not be empty for specified "
                + (path.EndsWith(".items", StringComparison.Ordinal) ? "array items" : "object fields")));
        }
        if (insideJunctor)
        {
            CheckJunctor(raw, path);
        }
        if (node.Type == "array" && raw["items"] is not JsonObject && !insideJunctor)
        {
            Errors.Add(raw["items"] is JsonArray
                ? FieldError.Forbidden(path + ".items", "items must be a schema object and not an array")
                : FieldError.Required(path + ".items", "must be specified"));
        }
        if (raw["properties"] is JsonObject { Count: > 0 } && raw["additionalProperties"] is not null and not JsonValue)
        {
            Errors.Add(FieldError.Forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive"));
        }
        if (Json.AsBool(raw["uniqueItems"]))
        {
            Errors.Add(FieldError.Forbidden(path + ".uniqueItems",
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
        }
        if (node.EmbeddedResource && node.Type != "object")
        {
            Errors.Add(FieldError.Invalid(path + ".type", node.Type, "must be object if x-kubernetes-embedded-resource is true"));
        }
    }

    private void CheckLists(SchemaNode node, string path)
    {
        if (node.ListType is not ("atomic" or "set" or "map"))
        {
            Errors.Add(FieldError.NotSupported(path + ".x-kubernetes-list-type", node.ListType, ["atomic", "map", "set"]));
        }
        if (node.ListType == "map")
        {
            if (node.ListMapKeys.Count == 0)
            {
                Errors.Add(FieldError.Required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
            }
            foreach (var key in node.ListMapKeys)
            {
                if (node.Items is null || !node.Items.Properties.TryGetValue(key, out var keySchema))
                {
                    Errors.Add(FieldError.Invalid(path + ".x-kubernetes-list-map-keys", key,
                        "entries must all be names of item properties"));
                }
                else if (!node.Items.Required.Contains(key) && !keySchema.HasDefault)
                {
                    Errors.Add(FieldError.Required($"{path}.items.properties[{key}].default",
                        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
                }
            }
        }
    }

    private void CheckDefault(SchemaNode node, string path)
    {
        var value = node.Default?.DeepClone();
        var holder = new JsonObject { ["default"] = value };
        if (node.Type == "object")
        {
            Defaulter.Apply(holder["default"], node);
        }
        var errors = new List<FieldError>();
        SchemaValidator.Validate(holder["default"], node, path + ".default", errors);
        Errors.AddRange(errors);
    }

    private void ParseRules(JsonObject raw, SchemaNode node, string path, bool insideJunctor)
    {
        var index = 0;
        foreach (var rule in Json.Objects(raw["x-kubernetes-validations"]))
        {
            var at = $"{path}.x-kubernetes-validations[{index++}]";
            if (insideJunctor)
            {
                Errors.Add(FieldError.Forbidden(at, "must be empty to be structural"));
                continue;
            }
            try
            {
                node.Validations.Add(CelRule.Compile(rule, node));
            }
            catch (CelException e)
            {
                Errors.Add(FieldError.Invalid($"{at}.{e.Field}", rule[e.Field]?.DeepClone(), "compilation failed: " + e.Message));
            }
        }
    }

    // Inside allOf, anyOf, oneOf and not a schema may only constrain: what a value is, is said once, outside.
    private void CheckJunctor(JsonObject raw, string path)
    {
        foreach (var key in (string[])["type", "title", "description"])
        {
            if (Json.Text(raw, key) is { Length: > 0 } && !(key == "type" && _mayHaveType.Contains(raw)))
            {
                Errors.Add(FieldError.Forbidden($"{path}.{key}", "must be empty to be structural"));
            }
        }
        foreach (var key in (string[])["default", "additionalProperties"])
        {
            if (raw.ContainsKey(key))
            {
                Errors.Add(FieldError.Forbidden($"{path}.{key}", "must be undefined to be structural"));
            }
        }
        foreach (var key in Flags.Where(key => Json.AsBool(raw[key])))
        {
            Errors.Add(FieldError.Forbidden($"{path}.{key}", "must be false to be structural"));
        }
    }

    // Beside x-kubernetes-int-or-string generators write anyOf [integer, string], directly or as the first of allOf: the one place where
    // types are allowed.
    private void AllowIntOrString(JsonObject raw)
    {
        var carrier = (raw["allOf"] as JsonArray) is [JsonObject first, ..] && first["anyOf"] is JsonArray ? first : raw;
        if ((carrier["anyOf"] as JsonArray) is [JsonObject one, JsonObject two]
            && Json.Text(one, "type") == "integer" && Json.Text(two, "type") == "string")
        {
            _mayHaveType.Add(one);
            _mayHaveType.Add(two);
        }
    }

    private void Junctor(JsonObject raw, string name, List<SchemaNode> target, string path, int depth)
    {
        var index = 0;
        foreach (var child in Json.Objects(raw[name]))
        {
            target.Add(Parse(child, $"{path}.{name}[{index++}]", true, false, depth + 1));
        }
    }

    private static double? Number(JsonObject raw, string key) => Json.TryDouble(raw[key], out var number) ? number : null;
}
