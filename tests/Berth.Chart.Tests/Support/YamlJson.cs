using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Berth.Chart.Tests;

/// <summary>YAML as JSON, with the types that Kubernetes' reader gives plain scalars.</summary>
internal static partial class YamlJson
{
    /// <summary>All documents of a text; those that hold nothing are left out.</summary>
    public static IReadOnlyList<JsonNode> ReadAll(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(d => ToJson(d.RootNode)).OfType<JsonNode>()];
    }

    public static JsonObject ReadOne(string text) => ReadAll(text).Single().AsObject();

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Select(p => KeyValuePair.Create(((YamlScalarNode)p.Key).Value!, ToJson(p.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Select(ToJson)]),
        YamlScalarNode scalar => Scalar(scalar),
        _ => throw new InvalidDataException($"{node.NodeType} is not in JSON."),
    };

    private static JsonValue? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
        {
            return JsonValue.Create(text);
        }

        return text switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),

            // YAML 1.1, which Helm and kubectl read, takes these for booleans: in a chart they are an accident.
            "yes" or "no" or "on" or "off" or "y" or "n" => throw new InvalidDataException($"'{text}' is written without quotes."),
            _ when Octal().IsMatch(text) => Number(Convert.ToInt64(text, 8).ToString(CultureInfo.InvariantCulture)),
            _ when Whole().IsMatch(text) || Decimal().IsMatch(text) => Number(text),
            _ => JsonValue.Create(text),
        };
    }

    // Read by the JSON reader, a number can be asked for in any width.
    private static JsonValue Number(string text) => JsonNode.Parse(text.TrimStart('+'))!.AsValue();

    [GeneratedRegex("^[-+]?(0|[1-9][0-9]*)$")]
    private static partial Regex Whole();

    [GeneratedRegex("^0[0-7]+$")]
    private static partial Regex Octal();

    [GeneratedRegex("^[-+]?[0-9]+\\.[0-9]+([eE][-+]?[0-9]+)?$")]
    private static partial Regex Decimal();
}
