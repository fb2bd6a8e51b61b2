using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Berth.Operator.Preflight;

/// <summary>The values a chart would be installed with: several files laid over each other as Helm does.</summary>
internal static class ChartValues
{
    // As deep as any chart's values are, and not so deep that reading them exhausts the stack.
    private const int MaximumDepth = 64;

    /// <summary>Reads and merges files: maps into each other, everything else replaced, null takes away.</summary>
    /// <exception cref="OperatorConfigurationException">One of them cannot be read; the message names file and place.</exception>
    public static JsonObject Read(IReadOnlyList<string> files)
    {
        var merged = new JsonObject();
        foreach (var file in files)
        {
            string text;
            try
            {
                text = File.ReadAllText(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new OperatorConfigurationException([$"--values {file} cannot be read: {e.Message}"]);
            }

            Merge(merged, Parse(text, file));
        }

        return merged;
    }

    /// <summary>One document as JSON.</summary>
    internal static JsonObject Parse(string text, string file)
    {
        try
        {
            CheckDepth(text, file);
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            return yaml.Documents switch
            {
                [] => [],
                [{ RootNode: YamlMappingNode map }] => (JsonObject)new Conversion(file).Convert(map)!,
                [{ RootNode: YamlScalarNode { Value: null or "" } }] => [],
                _ => throw new OperatorConfigurationException([$"--values {file} holds no mapping: "
                    + "give a file of values as the chart takes it."]),
            };
        }
        catch (YamlException e)
        {
            // The parser's own words may quote the text, and with it a secret.
            throw new OperatorConfigurationException(
                [$"--values {file} is not valid YAML at line {e.Start.Line}, column {e.Start.Column}; correct the syntax there."]);
        }
    }

    /// <summary>The value at a path, or null.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            node = (node as JsonObject)?[name];
        }

        return node;
    }

    /// <summary>The text at a path; numbers and truth values as they are written. Null where there is none, or an empty one.</summary>
    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue value && value.ToString() is { Length: > 0 } text ? text : null;

    /// <summary>Whether the value at a path is <c>true</c>.</summary>
    public static bool IsTrue(this JsonNode? node, params ReadOnlySpan<string> path) => node.Text(path) == "true";

    private static void CheckDepth(string text, string file)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaximumDepth)
            {
                throw new OperatorConfigurationException([$"--values {file} nests more than {MaximumDepth} levels: "
                    + "these are no values of the chart."]);
            }
        }
    }

    private static void Merge(JsonObject target, JsonObject source)
    {
        foreach (var (key, value) in source.ToList())
        {
            if (value is null)
            {
                target.Remove(key);
            }
            else if (value is JsonObject map && target[key] is JsonObject existing)
            {
                Merge(existing, map);
            }
            else
            {
                target[key] = value.DeepClone();
            }
        }
    }

    // Aliases may lead back to what holds them, or make a few lines millions of nodes: both depth and number are counted where they are
    // followed.
    private sealed class Conversion(string file)
    {
        private const int MaximumNodes = 100_000;
        private int _nodes;

        public JsonNode? Convert(YamlNode node, int depth = 0)
        {
            if (depth > MaximumDepth || ++_nodes > MaximumNodes)
            {
                throw new OperatorConfigurationException([$"--values {file} nests more than {MaximumDepth} levels or is too large: these "
                    + "are no values of the chart."]);
            }

            return node switch
            {
                YamlMappingNode map => new JsonObject(map.Children
                    .DistinctBy(c => c.Key.ToString())
                    .Select(c => KeyValuePair.Create(c.Key.ToString(), Convert(c.Value, depth + 1)))),
                YamlSequenceNode list => new JsonArray([.. list.Children.Select(c => Convert(c, depth + 1))]),
                YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" or "~" } => null,
                YamlScalarNode scalar => JsonValue.Create(scalar.Value ?? ""),
                _ => null,
            };
        }
    }
}
