using System.Text.Json.Nodes;

namespace Berth.Operator.Tests;

/// <summary>Label and field selectors in the API's syntax, as far as the operator uses them.</summary>
internal static class Selectors
{
    internal static bool Matches(JsonObject obj, string? labels, string? fields) => MatchesLabels(obj, labels) && MatchesFields(obj, fields);

    private static bool MatchesLabels(JsonObject obj, string? selector)
    {
        var labels = obj["metadata"]?["labels"] as JsonObject;
        return Terms(selector).All(term =>
        {
            if (term.Contains(" in (", StringComparison.Ordinal))
            {
                var (name, rest) = Split(term, " in (");
                return rest.TrimEnd(')').Split(',').Any(v => v.Trim() == Value(name));
            }

            if (term.Contains("!=", StringComparison.Ordinal))
            {
                var (name, value) = Split(term, "!=");
                return Value(name) != value;
            }

            if (term.Contains('=', StringComparison.Ordinal))
            {
                var (name, value) = Split(term.Replace("==", "=", StringComparison.Ordinal), "=");
                return Value(name) == value;
            }

            return term[0] == '!' ? Value(term[1..]) is null : Value(term) is not null;
        });

        string? Value(string name) => labels?[name.Trim()]?.GetValue<string>();
    }

    private static bool MatchesFields(JsonObject obj, string? selector) => Terms(selector).All(term =>
    {
        var (path, value) = Split(term, "=");
        var node = (JsonNode?)obj;
        foreach (var name in path.Split('.'))
        {
            node = node?[name];
        }

        return (node?.GetValue<string>() ?? "") == value;
    });

    private static IEnumerable<string> Terms(string? selector)
    {
        var depth = 0;
        var start = 0;
        for (var i = 0; i < (selector?.Length ?? 0); i++)
        {
            depth += selector![i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0 && selector[i] == ',')
            {
                yield return selector[start..i].Trim();
                start = i + 1;
            }
        }

        if (start < (selector?.Length ?? 0))
        {
            yield return selector![start..].Trim();
        }
    }

    private static (string Name, string Value) Split(string term, string by)
    {
        var at = term.IndexOf(by, StringComparison.Ordinal);
        return (term[..at].Trim(), term[(at + by.Length)..].Trim());
    }
}
