using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Edge.Tests.Conformance;

/// <summary>A request made from the description of an operation.</summary>
/// <param name="What">What is special about it, for the message of a failure.</param>
/// <param name="Target">Path and query as they go over the wire.</param>
internal sealed record GeneratedRequest(string What, string Target)
{
    public byte[]? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public (string Name, string Value)? Header { get; init; }

    /// <summary>The target itself is hostile: it may be refused before anybody looks for a route.</summary>
    public bool IsHostileTarget { get; init; }
}

/// <summary>Makes requests from an OpenAPI operation: those that are right as far as it says, and those that are wrong in each of its parts.</summary>
internal sealed class GeneratedRequests(JsonObject document, string path, JsonObject operation, IReadOnlyDictionary<string, string> known)
{
    private static readonly string[] HostileSegments =
    [
        "%00", "%2e%2e", "..%2f..%2fetc", "%252e%252e", "a%2Fb", "%5c..%5c", "%C0%AE", "%FF%FE", "%E2%80%AE", "%F0%9F%92%A9", "%0d%0aX-A:%20b",
        "'%20OR%20'1'='1", "$%7B7*7%7D", "%3Cscript%3E", "{}", "*", "-", ".", "a;b=c", new string('a', 5000), "00000000-0000-0000-0000-000000000000",
        "not-a-uuid", "__proto__", "null", "%20", "~", "A",
    ];

    private static readonly string[] HostileValues =
    [
        "", "abc", "-1", "0", "99999999999999999999", "1e400", "true", "TRUE", "null", "%00", "%FF", "..%2f", "'--", "%F0%9F%92%A9",
        new string('9', 3000), "00000000-0000-0000-0000-00000000000g", "{}", "[]", "%0d%0aX:y",
    ];

    private static readonly string[] WrongJson = ["null", "true", "0", "-1", "1e999", "\"\"", "\"\\u0000\"", "[]", "{}", "[[[[]]]]", "\"\\ud800\""];

    /// <summary>All of them.</summary>
    public IEnumerable<GeneratedRequest> All()
    {
        var right = Target(new Dictionary<string, string>());
        yield return new GeneratedRequest("as described", right) { Body = RightBody() };
        foreach (var name in Parameters("path"))
        {
            foreach (var segment in HostileSegments)
            {
                yield return new GeneratedRequest($"path {name}={segment[..Math.Min(40, segment.Length)]}",
                    Target(new Dictionary<string, string> { [name] = segment }))
                { Body = RightBody(), IsHostileTarget = true };
            }
        }

        foreach (var name in Parameters("query").Append("no-such-parameter"))
        {
            foreach (var value in HostileValues)
            {
                yield return new GeneratedRequest($"query {name}={value[..Math.Min(40, value.Length)]}", $"{right}?{name}={value}")
                {
                    Body = RightBody(),
                };
            }

            yield return new GeneratedRequest($"query {name} twice", $"{right}?{name}=1&{name}=2") { Body = RightBody() };
        }

        foreach (var name in Parameters("header"))
        {
            foreach (var value in (string[])["", "\"", "W/\"1\"", "\"1\", \"2\"", "*", new string('x', 4000)])
            {
                yield return new GeneratedRequest($"header {name}", right) { Body = RightBody(), Header = (name, value) };
            }
        }

        foreach (var request in Bodies(right))
        {
            yield return request;
        }
    }

    /// <summary>The path with right values for its parameters, or others.</summary>
    public string Target(IReadOnlyDictionary<string, string> values)
    {
        var target = path;
        foreach (var name in Parameters("path"))
        {
            target = target.Replace($"{{{name}}}", values.GetValueOrDefault(name) ?? known.GetValueOrDefault(name) ?? "x", StringComparison.Ordinal);
        }

        return target;
    }

    private IEnumerable<GeneratedRequest> Bodies(string right)
    {
        var schema = BodySchema();
        yield return new GeneratedRequest("1 MB body", right) { Body = Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', 1_000_000)}\"}}") };
        foreach (var text in (string[])[.. WrongJson, "", "{", "{\"a\":}", "{\"a\":1,\"a\":2}", "\ufeff{}", string.Concat(Enumerable.Repeat("[", 2000))])
        {
            yield return new GeneratedRequest($"body {text[..Math.Min(20, text.Length)]}", right) { Body = Encoding.UTF8.GetBytes(text) };
        }

        yield return new GeneratedRequest("body not UTF-8", right) { Body = [0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d] };
        foreach (var type in (string[])["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "/", "a b"])
        {
            yield return new GeneratedRequest($"content type {type}", right) { Body = RightBody() ?? "{}"u8.ToArray(), ContentType = type };
        }

        foreach (var property in schema?["properties"]?.AsObject().Select(p => p.Key) ?? [])
        {
            foreach (var wrong in (string[])[.. WrongJson, $"\"{new string('y', 20_000)}\"", "{\"deep\":{\"er\":{\"still\":[1]}}}"])
            {
                var body = RightObject(schema!);
                body.Remove(property);
                var text = body.ToJsonString();
                text = (text == "{}" ? "{" : text[..^1] + ",") + $"\"{property}\":{wrong}}}";
                yield return new GeneratedRequest($"body {property}={wrong[..Math.Min(20, wrong.Length)]}", right)
                {
                    Body = Encoding.UTF8.GetBytes(text),
                };
            }
        }

        if (schema is not null)
        {
            var more = RightObject(schema);
            more["no-such-property"] = 1;
            yield return new GeneratedRequest("body with one more property", right) { Body = Encoding.UTF8.GetBytes(more.ToJsonString()) };
        }
    }

    private IEnumerable<string> Parameters(string place) => (operation["parameters"]?.AsArray() ?? [])
        .Select(p => p!.AsObject()).Where(p => (string?)p["in"] == place).Select(p => (string)p["name"]!);

    private JsonObject? BodySchema()
    {
        var content = operation["requestBody"]?["content"]?.AsObject();
        return content is null || content.Count == 0 ? null : Resolved(content.First().Value!["schema"]!.AsObject());
    }

    private byte[]? RightBody() => BodySchema() is { } schema ? Encoding.UTF8.GetBytes(RightObject(schema).ToJsonString()) : null;

    private JsonObject RightObject(JsonObject schema)
    {
        var result = new JsonObject();
        foreach (var (name, property) in schema["properties"]?.AsObject() ?? [])
        {
            if (schema["required"]?.AsArray().Any(r => (string?)r == name) == true)
            {
                result[name] = RightValue(Resolved(property!.AsObject()));
            }
        }

        return result;
    }

    private JsonNode? RightValue(JsonObject schema)
    {
        var type = schema["type"] is JsonArray several ? (string?)several[0] : (string?)schema["type"];
        return type switch
        {
            "integer" or "number" => 1,
            "boolean" => false,
            "array" => new JsonArray(),
            "object" => RightObject(schema),
            _ => (string?)schema["format"] switch
            {
                "uuid" => Guid.Empty.ToString(),
                "date-time" => "2030-01-01T00:00:00Z",
                _ => schema["enum"]?.AsArray() is [{ } first, ..] ? first.DeepClone() : "a",
            },
        };
    }

    private JsonObject Resolved(JsonObject schema) => (string?)schema["$ref"] is { } reference
        ? document["components"]!["schemas"]![reference.Split('/')[^1]]!.AsObject()
        : schema;
}
