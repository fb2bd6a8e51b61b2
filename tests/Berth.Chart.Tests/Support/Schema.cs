using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Berth.Chart.Tests;

/// <summary>
/// Checks values against a JSON schema (draft 7), as far as the chart's uses it; a keyword that it does not know is an error, not
/// silence.
/// </summary>
internal sealed class Schema(JsonObject root)
{
    private static readonly string[] Known =
    [
        "$schema", "$ref", "title", "definitions", "type", "properties", "additionalProperties", "required", "items", "enum", "pattern",
            "minimum",
        "maximum", "minItems", "minProperties",
    ];

    public static Schema Read() => new(JsonNode.Parse(Chart.ReadFile("values.schema.json"))!.AsObject());

    public JsonObject Root => root;

    /// <summary>What is wrong with the values: path and reason.</summary>
    public IReadOnlyList<string> Problems(JsonNode? values)
    {
        var problems = new List<string>();
        Check(values, root, "", problems);
        return problems;
    }

    public JsonObject Resolve(JsonNode schema) => (string?)schema["$ref"] is { } reference
        ? root["definitions"]![reference["#/definitions/".Length..]]!.AsObject()
        : schema.AsObject();

    private void Check(JsonNode? value, JsonNode given, string path, List<string> problems)
    {
        var schema = Resolve(given);
        var unknown = schema.Select(k => k.Key).Except(Known).ToList();
        if (unknown.Count > 0)
        {
            throw new NotSupportedException($"The schema of '{path}' has {string.Join(", ", unknown)}.");
        }

        if (schema["type"] is { } type
            && !(type is JsonArray several ? several.Select(t => (string)t!) : [(string)type!]).Any(t => Is(value, t)))
        {
            problems.Add($"{path}: is no {type.ToJsonString()}");
            return;
        }

        if (schema["enum"] is JsonArray choices && !choices.Any(c => JsonNode.DeepEquals(c, value)))
        {
            problems.Add($"{path}: is none of {choices.ToJsonString()}");
        }

        if (schema["pattern"] is { } pattern && value is JsonValue text && text.TryGetValue<string>(out var content)
            && !Regex.IsMatch(content, (string)pattern!))
        {
            problems.Add($"{path}: '{content}' does not match {pattern}");
        }

        if (value is JsonValue number && number.TryGetValue<long>(out var n)
            && ((schema["minimum"] is { } least && n < (long)least) || (schema["maximum"] is { } most && n > (long)most)))
        {
            problems.Add($"{path}: {n} is out of range");
        }

        if (value is JsonObject members)
        {
            CheckMembers(members, schema, path, problems);
        }
        else if (value is JsonArray items)
        {
            if (schema["minItems"] is { } count && items.Count < (int)count)
            {
                problems.Add($"{path}: has too few items");
            }

            for (var i = 0; i < items.Count && schema["items"] is { } item; i++)
            {
                Check(items[i], item, $"{path}[{i}]", problems);
            }
        }
    }

    private void CheckMembers(JsonObject members, JsonObject schema, string path, List<string> problems)
    {
        problems.AddRange(schema["required"].Strings().Where(r => !members.ContainsKey(r)).Select(r => $"{path}.{r}: is missing"));
        if (schema["minProperties"] is { } count && members.Count < (int)count)
        {
            problems.Add($"{path}: has too few members");
        }

        foreach (var (name, member) in members)
        {
            if (schema["properties"]?[name] is { } own)
            {
                Check(member, own, $"{path}.{name}", problems);
            }
            else if (schema["additionalProperties"] is JsonObject other)
            {
                Check(member, other, $"{path}.{name}", problems);
            }
            else if (schema["additionalProperties"] is JsonValue allowed && !(bool)allowed)
            {
                problems.Add($"{path}.{name}: is no value of the chart");
            }
        }
    }

    private static bool Is(JsonNode? value, string type) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value is JsonValue v && v.TryGetValue<string>(out _),
        "boolean" => value is JsonValue v && v.TryGetValue<bool>(out _),
        "integer" => value is JsonValue v && (v.TryGetValue<long>(out _) || v.TryGetValue<int>(out _)),
        "number" => value is JsonValue v && (v.TryGetValue<double>(out _) || v.TryGetValue<long>(out _) || v.TryGetValue<int>(out _)),
        _ => throw new NotSupportedException(type),
    };
}
