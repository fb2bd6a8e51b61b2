using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kube.Server.Schema;

/// <summary>Schema validation with the wording of Kubernetes. Rules (CEL) are not looked at here.</summary>
internal static class SchemaValidator
{
    public static void Validate(JsonNode? value, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (errors.Count > 200)
        {
            return;
        }
        if (value is null)
        {
            if (!schema.Nullable && schema.Type.Length > 0)
            {
                errors.Add(FieldError.TypeInvalid(path, "null", $"{path} in body must be of type {schema.Type}: \"null\""));
            }
            return;
        }
        if (schema.IntOrString && !Json.IsString(value) && !Json.TryLong(value, out _))
        {
            errors.Add(FieldError.TypeInvalid(path, TypeOf(value),
                $"{path} in body must be of type integer or string: \"{TypeOf(value)}\""));
            return;
        }
        if (schema.Type.Length > 0 && !TypeMatches(value, schema.Type))
        {
            errors.Add(FieldError.TypeInvalid(path, TypeOf(value), $"{path} in body must be of type {schema.Type}: \"{TypeOf(value)}\""));
            return;
        }
        switch (value)
        {
            case JsonObject obj:
                ValidateObject(obj, schema, path, errors);
                break;
            case JsonArray array:
                ValidateArray(array, schema, path, errors);
                break;
            default:
                ValidateScalar(value, schema, path, errors);
                break;
        }
        ValidateEnum(value, schema, path, errors);
        ValidateJunctors(value, schema, path, errors);
    }

    public static string TypeOf(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => Json.TryLong(value, out _) ? "integer" : "number",
        _ => "boolean",
    };

    private static bool TypeMatches(JsonNode value, string type) => type switch
    {
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => Json.IsString(value),
        "integer" => Json.TryLong(value, out _),
        "number" => Json.IsNumber(value),
        "boolean" => Json.IsBool(value),
        _ => true,
    };

    private static string Join(string path, string key) => path.Length == 0 ? key : path + "." + key;

    private static void ValidateObject(JsonObject obj, SchemaNode schema, string path, List<FieldError> errors)
    {
        foreach (var name in schema.Required)
        {
            if (!obj.ContainsKey(name))
            {
                errors.Add(FieldError.Required(Join(path, name)));
            }
        }
        foreach (var (key, child) in obj)
        {
            if (schema.Properties.TryGetValue(key, out var known))
            {
                Validate(child, known, Join(path, key), errors);
            }
            else if (schema.AdditionalProperties is { } additional)
            {
                Validate(child, additional, Join(path, key), errors);
            }
        }
        if (schema.EmbeddedResource)
        {
            foreach (var name in (string[])["apiVersion", "kind"])
            {
                if (!obj.ContainsKey(name))
                {
                    errors.Add(FieldError.Required(Join(path, name), "must not be empty"));
                }
            }
        }
        if (schema.MinProperties is { } min && obj.Count < min)
        {
            errors.Add(FieldError.Invalid(path, obj.DeepClone(), $"{path} in body should have at least {min} properties"));
        }
        if (schema.MaxProperties is { } max && obj.Count > max)
        {
            errors.Add(FieldError.TooMany(path, obj.Count, max));
        }
    }

    private static void ValidateArray(JsonArray array, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (schema.MinItems is { } min && array.Count < min)
        {
            errors.Add(FieldError.Invalid(path, array.DeepClone(), $"{path} in body should have at least {min} items"));
        }
        if (schema.MaxItems is { } max && array.Count > max)
        {
            errors.Add(FieldError.TooMany(path, array.Count, max));
        }
        if (schema.Items is { } items)
        {
            for (var i = 0; i < array.Count; i++)
            {
                Validate(array[i], items, $"{path}[{i}]", errors);
            }
        }
    }

    private static void ValidateScalar(JsonNode value, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (Json.AsString(value) is { } text)
        {
            var length = new System.Globalization.StringInfo(text).LengthInTextElements is var elements && elements == text.Length
                ? text.Length
                : text.EnumerateRunes().Count();
            if (schema.MinLength is { } min && length < min)
            {
                errors.Add(FieldError.Invalid(path, value, $"{path} in body should be at least {min} chars long"));
            }
            if (schema.MaxLength is { } max && length > max)
            {
                errors.Add(FieldError.TooLong(path, max));
            }
            if (schema.Pattern is { } pattern && !pattern.IsMatch(text))
            {
                errors.Add(FieldError.Invalid(path, value, $"{path} in body should match '{schema.PatternText}'"));
            }
            if (schema.Format.Length > 0 && schema.Type == "string" && !Formats.Matches(schema.Format, text))
            {
                errors.Add(FieldError.Invalid(path, value, $"{path} in body must be of type {schema.Format}: {Json.ToText(value)}")
                    with
                { Undecodable = schema.Format is "byte" or "date-time" });
            }
            return;
        }
        if (!Json.TryDouble(value, out var number))
        {
            return;
        }
        if (schema.Minimum is { } low && (schema.ExclusiveMinimum ? number <= low : number < low))
        {
            errors.Add(FieldError.Invalid(path, value,
                $"{path} in body should be greater than {(schema.ExclusiveMinimum ? "" : "or equal to ")}{Text(low)}"));
        }
        if (schema.Maximum is { } high && (schema.ExclusiveMaximum ? number >= high : number > high))
        {
            errors.Add(FieldError.Invalid(path, value,
                $"{path} in body should be less than {(schema.ExclusiveMaximum ? "" : "or equal to ")}{Text(high)}"));
        }
        if (schema.MultipleOf is { } factor && factor > 0 && Math.Abs((number / factor) - Math.Round(number / factor)) > 1e-9)
        {
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be a multiple of {Text(factor)}"));
        }
        if (schema.Format == "int32" && (number < int.MinValue || number > int.MaxValue))
        {
            errors.Add(FieldError.Invalid(path, value, $"Checked value must be of type integer with format int32 in {path}"));
        }
    }

    private static void ValidateEnum(JsonNode value, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (schema.Enum is { } allowed && !allowed.Any(item => Json.DeepEquals(item, value)))
        {
            errors.Add(FieldError.NotSupported(path, value, allowed.Select(item => Json.AsString(item) ?? Json.ToText(item))));
        }
    }

    private static void ValidateJunctors(JsonNode value, SchemaNode schema, string path, List<FieldError> errors)
    {
        var before = errors.Count;
        foreach (var part in schema.AllOf)
        {
            Validate(value, part, path, errors);
        }
        if (errors.Count > before)
        {
            errors.Add(Junction(path, "must validate all the schemas (allOf)"));
        }
        if (schema.AnyOf.Count > 0)
        {
            var (valid, best) = Alternatives(value, schema.AnyOf, path);
            if (valid == 0)
            {
                errors.Add(Junction(path, "must validate at least one schema (anyOf)"));
                errors.AddRange(best);
            }
        }
        if (schema.OneOf.Count > 0)
        {
            var (valid, best) = Alternatives(value, schema.OneOf, path);
            if (valid != 1)
            {
                var found = valid == 0 ? "Found none valid" : $"Found {valid} valid alternatives";
                errors.Add(Junction(path, $"must validate one and only one schema (oneOf). {found}"));
                errors.AddRange(valid == 0 ? best : []);
            }
        }
        if (schema.Not is { } not && Alternatives(value, [not], path).Valid == 1)
        {
            errors.Add(Junction(path, "must not validate the schema (not)"));
        }
    }

    // Kubernetes names no field here, only the value's path in the text.
    private static FieldError Junction(string path, string rule) => FieldError.InvalidText("<nil>", "\"\"", $"\"{path}\" {rule}");

    // How many match, and the complaints of the one that comes nearest.
    private static (int Valid, List<FieldError> Best) Alternatives(JsonNode value, List<SchemaNode> schemas, string path)
    {
        List<FieldError>? best = null;
        var valid = 0;
        foreach (var schema in schemas)
        {
            var errors = new List<FieldError>();
            Validate(value, schema, path, errors);
            valid += errors.Count == 0 ? 1 : 0;
            best = best is null || errors.Count < best.Count ? errors : best;
        }
        return (valid, best ?? []);
    }

    private static string Text(double number) => number.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
