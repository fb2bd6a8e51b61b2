using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kube.Server;

/// <summary>
/// YAML to JSON by YamlDotNet's event stream, with the scalar rules Kubernetes' own decoder has (YAML 1.1 booleans included).
/// </summary>
internal static class Yaml
{
    // Aliases may repeat nodes, which is how a small text becomes a huge tree; a document of this size is refused.
    private const int MaxNodes = 200_000;

    // The same for one long text that is repeated: as many characters as a request may have bytes.
    private const int MaxRepeatedText = 3 * 1024 * 1024;

    public static JsonNode? Parse(string text, List<string>? duplicates = null)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return null;
            }
            parser.Consume<DocumentStart>();
            var node = Read(parser, new Dictionary<AnchorName, JsonNode?>(), new FieldTrail(duplicates), new Budget(), 0);
            parser.Consume<DocumentEnd>();
            return parser.Accept<DocumentStart>(out _) ? throw new JsonException("more than one YAML document") : node;
        }
        catch (YamlException e)
        {
            throw new JsonException($"yaml: line {e.Start.Line}: {e.Message}", e);
        }
    }

    private static JsonNode? Read(Parser parser, Dictionary<AnchorName, JsonNode?> anchors, FieldTrail trail, Budget budget,
        int depth)
    {
        budget.Node();
        if (depth > Json.MaxDepth)
        {
            throw TooLarge();
        }
        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            var target = anchors.TryGetValue(alias.Value, out var known)
                ? known
                : throw new JsonException($"yaml: unknown anchor '{alias.Value}'");
            budget.Repeat(target);
            return target?.DeepClone();
        }
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            return Remember(anchors, scalar.Anchor, Convert(scalar));
        }
        if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            var array = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                trail.Enter(array.Count);
                array.Add(Read(parser, anchors, trail, budget, depth + 1));
                trail.Leave();
            }
            return Remember(anchors, sequence.Anchor, array);
        }
        var mapping = parser.Consume<MappingStart>();
        var obj = new JsonObject();
        var merged = new List<JsonObject>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>();
            trail.Enter(key.Value);
            var value = Read(parser, anchors, trail, budget, depth + 1);
            if (key.Value == "<<" && key.Style == ScalarStyle.Plain)
            {
                merged.AddRange(value is JsonObject one ? [one] : Json.Objects(value));
                trail.Leave();
                continue;
            }
            if (obj.ContainsKey(key.Value))
            {
                trail.Note();
            }
            trail.Leave();
            obj[key.Value] = value;
        }
        foreach (var (key, value) in merged.SelectMany(source => source))
        {
            if (!obj.ContainsKey(key))
            {
                obj[key] = value?.DeepClone();
            }
        }
        return Remember(anchors, mapping.Anchor, obj);
    }

    private static JsonException TooLarge() => new("the YAML document is too large or nested too deeply");

    private static JsonNode? Remember(Dictionary<AnchorName, JsonNode?> anchors, AnchorName anchor, JsonNode? node)
    {
        if (!anchor.IsEmpty)
        {
            anchors[anchor] = node;
        }
        return node;
    }

    private static JsonValue? Convert(Scalar scalar)
    {
        if (scalar.Style != ScalarStyle.Plain || (!scalar.Tag.IsEmpty && scalar.Tag.Value == "tag:yaml.org,2002:str"))
        {
            return JsonValue.Create(scalar.Value);
        }
        var text = scalar.Value;
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return JsonValue.Create(true);
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return JsonValue.Create(false);
        }
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return JsonValue.Create(number);
        }
        if (text.StartsWith("0x", StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number))
        {
            return JsonValue.Create(number);
        }
        return LooksLikeNumber(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
            && double.IsFinite(real)
            ? JsonValue.Create(real)
            : JsonValue.Create(text);
    }

    private static bool LooksLikeNumber(string text) =>
        text.Any(char.IsAsciiDigit) && text.All(c => char.IsAsciiDigit(c) || c is '.' or 'e' or 'E' or '+' or '-');

    // What a document may still grow to.
    private sealed class Budget
    {
        private int _nodes = MaxNodes;
        private int _text = MaxRepeatedText;

        public void Node()
        {
            if (--_nodes < 0)
            {
                throw TooLarge();
            }
        }

        // Before anything is copied.
        public void Repeat(JsonNode? node)
        {
            Node();
            switch (node)
            {
                case JsonObject obj:
                    foreach (var (key, value) in obj)
                    {
                        Text(key.Length);
                        Repeat(value);
                    }
                    break;
                case JsonArray array:
                    foreach (var item in array)
                    {
                        Repeat(item);
                    }
                    break;
                default:
                    Text(Json.AsString(node)?.Length ?? 0);
                    break;
            }
        }

        private void Text(int length)
        {
            if ((_text -= length) < 0)
            {
                throw TooLarge();
            }
        }
    }
}
