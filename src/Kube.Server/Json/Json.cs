using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kube.Server;

/// <summary>
/// JSON trees as this server uses them: fully materialised on parsing (JsonNode's lazy nodes would be shared between threads), numbers kept
/// as the text they came as, duplicate keys reported instead of lost.
/// </summary>
internal static class Json
{
    public const int MaxDepth = 128;

    private static readonly JsonWriterOptions Compact = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
        MaxDepth = 512
    };

    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, List<string>? duplicates = null)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!reader.Read())
        {
            throw new JsonException("no JSON value");
        }
        var node = ReadValue(ref reader, new FieldTrail(duplicates));
        return reader.Read() ? throw new JsonException("trailing data after the JSON value") : node;
    }

    public static JsonObject ParseObject(ReadOnlySpan<byte> utf8) =>
        Parse(utf8) as JsonObject ?? throw new JsonException("the JSON value is not an object");

    public static byte[] ToUtf8(JsonNode? node)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        WriteTo(buffer, node);
        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteTo(IBufferWriter<byte> buffer, JsonNode? node)
    {
        using var writer = new Utf8JsonWriter(buffer, Compact);
        Write(writer, node);
    }

    public static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        if (node is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            node.WriteTo(writer);
        }
    }

    public static string ToText(JsonNode? node) => System.Text.Encoding.UTF8.GetString(ToUtf8(node));

    public static bool IsNumber(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.Number;

    public static bool IsString(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String;

    public static bool IsBool(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    public static string? AsString(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public static bool AsBool(JsonNode? node, bool whenMissing = false) =>
        node is JsonValue value && value.TryGetValue(out bool flag) ? flag : whenMissing;

    public static string NumberText(JsonNode node) => ToText(node);

    public static bool TryLong(JsonNode? node, out long number)
    {
        number = 0;
        if (!IsNumber(node))
        {
            return false;
        }
        var text = NumberText(node!);
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
        {
            return true;
        }
        // 1.0 and 1e3 are integers in JSON's eyes.
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && Math.Abs(real) < 9e15
            && real == Math.Floor(real))
        {
            number = (long)real;
            return true;
        }
        return false;
    }

    public static long? AsLong(JsonNode? node) => TryLong(node, out var number) ? number : null;

    public static bool TryDouble(JsonNode? node, out double number)
    {
        number = 0;
        return IsNumber(node) && double.TryParse(NumberText(node!), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Walks objects by key; null when a step is missing or not an object.</summary>
    public static JsonNode? At(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var key in path)
        {
            if (node is not JsonObject obj || !obj.TryGetPropertyValue(key, out node))
            {
                return null;
            }
        }
        return node;
    }

    public static string? Text(JsonNode? node, params ReadOnlySpan<string> path) => AsString(At(node, path));

    /// <summary>Walks objects by key and makes those that are missing.</summary>
    public static JsonObject Ensure(JsonObject root, params ReadOnlySpan<string> path)
    {
        foreach (var key in path)
        {
            if (root[key] is JsonObject next)
            {
                root = next;
                continue;
            }
            next = [];
            root[key] = next;
            root = next;
        }
        return root;
    }

    public static JsonObject Clone(JsonObject node) => (JsonObject)node.DeepClone();

    public static JsonArray Strings(IEnumerable<string> values)
    {
        var array = new JsonArray();
        foreach (var value in values)
        {
            array.Add((JsonNode?)value);
        }
        return array;
    }

    public static IEnumerable<JsonObject> Objects(JsonNode? array) => array is JsonArray list ? list.OfType<JsonObject>() : [];

    public static IEnumerable<string> StringItems(JsonNode? array) =>
        array is JsonArray list ? list.Select(AsString).Where(text => text is not null).Select(text => text!) : [];

    /// <summary>Equality of values: key order does not count, 1 and 1.0 are the same number.</summary>
    public static bool DeepEquals(JsonNode? left, JsonNode? right)
    {
        if (left is null || right is null)
        {
            return left is null && right is null;
        }
        if (ReferenceEquals(left, right))
        {
            return true;
        }
        switch (left)
        {
            case JsonObject a:
                if (right is not JsonObject b || a.Count != b.Count)
                {
                    return false;
                }
                foreach (var (key, value) in a)
                {
                    if (!b.TryGetPropertyValue(key, out var other) || !DeepEquals(value, other))
                    {
                        return false;
                    }
                }
                return true;
            case JsonArray a:
                if (right is not JsonArray c || a.Count != c.Count)
                {
                    return false;
                }
                for (var i = 0; i < a.Count; i++)
                {
                    if (!DeepEquals(a[i], c[i]))
                    {
                        return false;
                    }
                }
                return true;
            default:
                return right is JsonValue && ScalarEquals((JsonValue)left, (JsonValue)right);
        }
    }

    private static bool ScalarEquals(JsonValue left, JsonValue right)
    {
        var kind = left.GetValueKind();
        if (kind != right.GetValueKind())
        {
            return false;
        }
        return kind switch
        {
            JsonValueKind.String => AsString(left) == AsString(right),
            JsonValueKind.Number => NumberText(left) is var a && NumberText(right) is var b && (a == b || NumberEquals(a, b)),
            _ => true,
        };
    }

    private static bool NumberEquals(string a, string b) =>
        decimal.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out var x)
            && decimal.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out var y)
            ? x == y
            : double.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out var p)
              && double.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out var q) && p == q;

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, FieldTrail trail)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var obj = new JsonObject();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var key = reader.GetString()!;
                    reader.Read();
                    trail.Enter(key);
                    if (obj.ContainsKey(key))
                    {
                        trail.Note();
                    }
                    obj[key] = ReadValue(ref reader, trail);
                    trail.Leave();
                }
                return obj;
            case JsonTokenType.StartArray:
                var array = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    trail.Enter(array.Count);
                    array.Add(ReadValue(ref reader, trail));
                    trail.Leave();
                }
                return array;
            case JsonTokenType.String:
                return JsonValue.Create(reader.GetString());
            case JsonTokenType.Number:
                return JsonValue.Create(JsonElement.ParseValue(ref reader));
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            default:
                return null;
        }
    }
}
