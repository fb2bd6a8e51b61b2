using System.Globalization;
using System.Text.Json.Nodes;

namespace Kube.Server.Tables;

/// <summary>
/// The subset of JSONPath that printer columns use: <c>.a.b</c>, <c>['a']</c>, <c>[0]</c>, <c>[*]</c>, <c>[?(@.type=="Ready")]</c>,
/// <c>..</c> is not supported.
/// </summary>
internal sealed class JsonPath
{
    private readonly List<Step> _steps;

    private JsonPath(List<Step> steps) => _steps = steps;

    private sealed record Step(string? Name, int? Index, bool All, string[]? FilterPath, string? FilterOperator, string? FilterValue);

    public static JsonPath? TryParse(string text)
    {
        var steps = new List<Step>();
        text = text.Trim('{', '}', ' ');
        var at = text.StartsWith('$') ? 1 : 0;
        if (text.Length == at || text[at] is not ('.' or '['))
        {
            return null;
        }
        while (at < text.Length)
        {
            if (text[at] == '.')
            {
                var end = ++at;
                while (end < text.Length && text[end] is not ('.' or '['))
                {
                    end += text[end] == '\\' ? 2 : 1;
                }
                if (end == at && at < text.Length && text[at] == '[')
                {
                    continue;
                }
                if (end == at || end > text.Length)
                {
                    return null;
                }
                var name = text[at..end].Replace("\\", "", StringComparison.Ordinal);
                steps.Add(name == "*" ? new Step(null, null, true, null, null, null) : new Step(name, null, false, null, null, null));
                at = end;
                continue;
            }
            if (text[at] != '[')
            {
                return null;
            }
            var close = Close(text, at);
            if (close < 0 || Bracket(text[(at + 1)..close].Trim()) is not { } step)
            {
                return null;
            }
            steps.Add(step);
            at = close + 1;
        }
        return new JsonPath(steps);
    }

    public IEnumerable<JsonNode?> Evaluate(JsonNode root)
    {
        IEnumerable<JsonNode?> nodes = [root];
        foreach (var step in _steps)
        {
            nodes = nodes.SelectMany(node => Apply(node, step));
        }
        return nodes;
    }

    private static int Close(string text, int open)
    {
        char quote = '\0';
        var depth = 0;
        for (var i = open; i < text.Length; i++)
        {
            if (quote != '\0')
            {
                quote = text[i] == quote ? '\0' : quote;
            }
            else if (text[i] is '"' or '\'')
            {
                quote = text[i];
            }
            else if (text[i] == '[')
            {
                depth++;
            }
            else if (text[i] == ']' && --depth == 0)
            {
                return i;
            }
        }
        return -1;
    }

    private static Step? Bracket(string inner)
    {
        if (inner == "*")
        {
            return new Step(null, null, true, null, null, null);
        }
        if (inner.Length >= 2 && inner[0] is '\'' or '"' && inner[^1] == inner[0])
        {
            return new Step(inner[1..^1], null, false, null, null, null);
        }
        if (int.TryParse(inner, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
        {
            return new Step(null, index, false, null, null, null);
        }
        if (!inner.StartsWith("?(", StringComparison.Ordinal) || !inner.EndsWith(')'))
        {
            return null;
        }
        var filter = inner[2..^1].Trim();
        foreach (var op in (string[])["==", "!="])
        {
            var at = filter.IndexOf(op, StringComparison.Ordinal);
            if (at > 0 && filter.StartsWith("@.", StringComparison.Ordinal))
            {
                return new Step(null, null, false, filter[2..at].Trim().Split('.'), op, filter[(at + 2)..].Trim().Trim('"', '\''));
            }
        }
        return filter.StartsWith("@.", StringComparison.Ordinal)
            ? new Step(null, null, false, filter[2..].Split('.'), "exists", null)
            : null;
    }

    private static IEnumerable<JsonNode?> Apply(JsonNode? node, Step step)
    {
        switch (node)
        {
            case JsonObject obj when step.Name is { } name:
                return obj.TryGetPropertyValue(name, out var value) ? [value] : [];
            case JsonObject obj when step.All:
                return obj.Select(pair => pair.Value);
            case JsonArray array when step.Index is { } index:
                var at = index < 0 ? array.Count + index : index;
                return at >= 0 && at < array.Count ? [array[at]] : [];
            case JsonArray array when step.All:
                return array;
            case JsonArray array when step.FilterPath is { } path:
                return array.Where(item => Matches(item, path, step.FilterOperator!, step.FilterValue));
            default:
                return [];
        }
    }

    private static bool Matches(JsonNode? item, string[] path, string op, string? value)
    {
        var node = Json.At(item, path);
        if (op == "exists")
        {
            return node is not null;
        }
        var text = node is null ? null : Json.AsString(node) ?? Json.ToText(node);
        return op == "==" ? text == value : text != value;
    }
}
