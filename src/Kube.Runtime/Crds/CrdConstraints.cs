using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Client.Schema;

namespace Kube.Runtime;

/// <summary>Limits that attributes put on a property.</summary>
internal static class CrdConstraints
{
    public static void Apply(JsonObject schema, ICustomAttributeProvider attributes, string path)
    {
        foreach (var attribute in attributes.GetCustomAttributes(false))
        {
            switch (attribute)
            {
                case RangeAttribute range:
                    Range(schema, range, path);
                    break;
                case RegularExpressionAttribute expression:
                    Expect(schema, "string", "a pattern", path);

                    // .NET's attribute wants a match of the whole text, the schema of any part.
                    schema["pattern"] = expression.Pattern is ['^', .., '$'] ? expression.Pattern : $"^(?:{expression.Pattern})$";
                    break;
                case StringLengthAttribute length:
                    Expect(schema, "string", "a string length", path);
                    Sizes(schema, length.MinimumLength, length.MaximumLength);
                    break;
                case LengthAttribute length:
                    Sizes(schema, length.MinimumLength, length.MaximumLength);
                    break;
                case MinLengthAttribute length:
                    Sizes(schema, length.Length, null);
                    break;
                case MaxLengthAttribute length:
                    Sizes(schema, 0, length.Length);
                    break;
                case AllowedValuesAttribute allowed:
                    schema["enum"] = new JsonArray([.. allowed.Values.Select(v => ToNode(v, path))]);
                    break;
                case SchemaDefaultAttribute standard:
                    schema["default"] = Parse(standard.Json, path);
                    break;
                case ListMapAttribute map:
                    ListMap(schema, map, path);
                    break;
                default:
                    break;
            }
        }
    }

    private static void Range(JsonObject schema, RangeAttribute range, string path)
    {
        schema["minimum"] = Bound(range.Minimum, path);
        schema["maximum"] = Bound(range.Maximum, path);
        if (range.MinimumIsExclusive)
        {
            schema["exclusiveMinimum"] = true;
        }

        if (range.MaximumIsExclusive)
        {
            schema["exclusiveMaximum"] = true;
        }
    }

    /// <summary>The same attributes bound texts, lists and dictionaries; the schema has words of its own for each.</summary>
    private static void Sizes(JsonObject schema, int min, int? max)
    {
        var unit = schema["type"]?.GetValue<string>() switch
        {
            "array" => "Items",
            "object" => "Properties",
            _ => "Length",
        };
        if (min > 0)
        {
            schema["min" + unit] = min;
        }

        if (max is >= 0)
        {
            schema["max" + unit] = max;
        }
    }

    private static void ListMap(JsonObject schema, ListMapAttribute map, string path)
    {
        Expect(schema, "array", "list keys", path);
        var item = schema["items"]!.AsObject();
        foreach (var key in map.Keys)
        {
            var known = item["properties"]?[key]
                ?? throw new CrdException($"{path}: its items have no field '{key}' to tell them apart by.");
            if (known["default"] is null && item["required"]?.AsArray().Any(r => r!.GetValue<string>() == key) != true)
            {
                throw new CrdException(
                    $"{path}: the key '{key}' of its items must be [Required] or have a default; the API refuses it otherwise.");
            }
        }

        schema["x-kubernetes-list-map-keys"] = CrdSchema.Strings(map.Keys);
        schema["x-kubernetes-list-type"] = "map";
    }

    private static void Expect(JsonObject schema, string type, string what, string path)
    {
        if (schema["type"]?.GetValue<string>() != type)
        {
            throw new CrdException($"{path} has {what}, which only a value of type {type} can have.");
        }
    }

    private static JsonNode? Parse(string json, string path)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException e)
        {
            throw new CrdException($"{path}: the default {json} is not JSON ({e.Message}) A text needs its quotes.");
        }
    }

    /// <summary>Bounds of 64-bit ranges can only be given as texts.</summary>
    private static JsonValue Bound(object value, string path) =>
        value is string text && decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var number)
            ? JsonValue.Create(number)
            : ToNode(value, path);

    private static JsonValue ToNode(object? value, string path) => value switch
    {
        string text => JsonValue.Create(text),
        int number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        double number => JsonValue.Create(number),
        bool flag => JsonValue.Create(flag),
        _ => throw new CrdException($"{path}: the value {value} cannot stand in a schema."),
    };
}
