using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Kube.Server.Selectors;

/// <summary>A parsed label selector: <c>a=b,c!=d,e in (f,g),h notin (i),j,!k,l&gt;5,m&lt;6</c>.</summary>
internal sealed partial class LabelSelector
{
    private readonly List<(string Key, string Operator, HashSet<string> Values)> _terms = [];

    public bool IsEmpty => _terms.Count == 0;

    public static LabelSelector Parse(string? text)
    {
        var selector = new LabelSelector();
        foreach (var part in Split(text ?? ""))
        {
            selector._terms.Add(Term(part, text!));
        }
        return selector;
    }

    public bool Matches(JsonObject obj)
    {
        if (_terms.Count == 0)
        {
            return true;
        }
        var labels = Json.At(obj, "metadata", "labels") as JsonObject;
        foreach (var (key, op, values) in _terms)
        {
            var value = Json.AsString(labels?[key]);
            var matches = op switch
            {
                "in" => value is not null && values.Contains(value),
                "notin" => value is null || !values.Contains(value),
                "exists" => value is not null,
                ">" => Number(value) > Number(values.First()),
                "<" => Number(value) < Number(values.First()),
                _ => value is null,
            };
            if (!matches)
            {
                return false;
            }
        }
        return true;
    }

    private static IEnumerable<string> Split(string text)
    {
        int depth = 0, start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] == '(')
            {
                depth++;
            }
            else if (i < text.Length && text[i] == ')')
            {
                depth--;
            }
            else if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                var part = text[start..i].Trim();
                start = i + 1;
                if (part.Length > 0)
                {
                    yield return part;
                }
            }
        }
    }

    private static (string, string, HashSet<string>) Term(string part, string whole)
    {
        var match = SetTerm().Match(part);
        if (match.Success)
        {
            var values = match.Groups[3].Value.Split(',').Select(v => v.Trim()).ToHashSet(StringComparer.Ordinal);
            return (Key(match.Groups[1].Value, whole), match.Groups[2].Value, values);
        }
        match = EqualTerm().Match(part);
        if (match.Success)
        {
            return (Key(match.Groups[1].Value, whole), match.Groups[2].Value == "!=" ? "notin" : "in", [match.Groups[3].Value]);
        }
        match = OrderTerm().Match(part);
        if (match.Success)
        {
            var (key, bound) = (Key(match.Groups[1].Value, whole), match.Groups[3].Value);
            return Number(bound) is not null
                ? (key, match.Groups[2].Value, [bound])
                : throw Status.BadRequest(
                    $"unable to parse requirement: values[0][{key}]: Invalid value: \"{bound}\": for 'Gt', 'Lt' operators, the value "
                    + "must be an integer");
        }
        return part[0] == '!' ? (Key(part[1..].Trim(), whole), "missing", []) : (Key(part, whole), "exists", []);
    }

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Key(string key, string whole) =>
        KeyShape().IsMatch(key)
            ? key
            : throw Status.BadRequest($"unable to parse requirement: invalid label key \"{key}\" in selector \"{whole}\"");

    [GeneratedRegex(@"^(\S+?)\s+(in|notin)\s*\((.*)\)\z", RegexOptions.CultureInvariant)]
    private static partial Regex SetTerm();

    [GeneratedRegex(@"^([^=!\s]+)\s*(==|=|!=)\s*(\S*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex EqualTerm();

    [GeneratedRegex(@"^([^<>\s]+)\s*([<>])\s*(\S+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex OrderTerm();

    [GeneratedRegex(@"^([A-Za-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex KeyShape();
}
