using System.Text.RegularExpressions;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>A metric that a query reads.</summary>
/// <param name="Name">Its name, as written.</param>
/// <param name="Labels">Labels it is selected by.</param>
public sealed record PromSelector(string Name, IReadOnlyList<string> Labels);

/// <summary>
/// What a PromQL expression refers to: metrics, the labels they are selected by and those it groups by. No evaluation; a small reader of
/// tokens that refuses what it does not know.
/// </summary>
public sealed partial class PromQuery
{
    private static readonly HashSet<string> Words = new(StringComparer.Ordinal)
    {
        "and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right",
    };

    private static readonly HashSet<string> Functions = new(StringComparer.Ordinal)
    {
        "sum", "min", "max", "avg", "count", "topk", "absent", "rate", "increase", "deriv", "histogram_quantile", "time", "vector",
        "label_replace",
    };

    /// <exception cref="FormatException">It is no expression that this reader knows.</exception>
    public PromQuery(string text)
    {
        var tokens = Tokens(text);
        var open = new Stack<string>();
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            if (token is "(" or "{" or "[")
            {
                open.Push(token);
            }
            else if (token is ")" or "}" or "]")
            {
                var expected = token switch { ")" => "(", "}" => "{", _ => "[" };
                if (!open.TryPop(out var was) || was != expected)
                {
                    throw new FormatException($"{token} closes nothing in: {text}");
                }
            }
            else if (token is "by" or "without" or "on" or "ignoring" or "group_left" or "group_right")
            {
                i = ReadLabels(tokens, i + 1, text);
            }
            else if (char.IsAsciiLetter(token[0]) || token[0] is '_' or ':')
            {
                i = ReadName(tokens, i, text);
            }
        }

        if (open.Count > 0)
        {
            throw new FormatException($"{open.Peek()} is not closed in: {text}");
        }
    }

    /// <summary>Metrics in the order in which they are named.</summary>
    public List<PromSelector> Selectors { get; } = [];

    /// <summary>Labels of by, on and the like.</summary>
    public HashSet<string> Grouping { get; } = new(StringComparer.Ordinal);

    private static List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        var at = 0;
        while (at < text.Length)
        {
            var match = Token().Match(text, at);
            if (!match.Success || match.Index != at)
            {
                throw new FormatException($"'{text[at]}' at {at} is not expected in: {text}");
            }

            at += match.Length;
            if (!string.IsNullOrWhiteSpace(match.Value))
            {
                tokens.Add(match.Value);
            }
        }

        return tokens;
    }

    private int ReadLabels(List<string> tokens, int at, string text)
    {
        if (tokens.ElementAtOrDefault(at) != "(")
        {
            // group_left may stand alone.
            return at - 1;
        }

        while (tokens[++at] != ")")
        {
            if (tokens[at] == ",")
            {
                continue;
            }

            if (!Name().IsMatch(tokens[at]))
            {
                throw new FormatException($"'{tokens[at]}' is no label in: {text}");
            }

            Grouping.Add(tokens[at]);
        }

        return at;
    }

    private int ReadName(List<string> tokens, int at, string text)
    {
        var name = tokens[at];
        if (Words.Contains(name))
        {
            return at;
        }

        var next = tokens.ElementAtOrDefault(at + 1);
        if (next == "(" || (next is "by" or "without" && Functions.Contains(name)))
        {
            return Functions.Contains(name) ? at : throw new FormatException($"The function {name} is not known; is it one? In: {text}");
        }

        var labels = new List<string>();
        if (next == "{")
        {
            at += 2;
            while (tokens[at] != "}")
            {
                if (tokens[at] == ",")
                {
                    at++;
                    continue;
                }

                if (!Name().IsMatch(tokens[at]) || tokens[at + 1] is not ("=" or "!=" or "=~" or "!~") || tokens[at + 2][0] != '"')
                {
                    throw new FormatException($"'{tokens[at]}' is no matcher in: {text}");
                }

                labels.Add(tokens[at]);
                at += 3;
            }
        }

        Selectors.Add(new PromSelector(name, labels));
        return at;
    }

    [GeneratedRegex("""
        \s+
        |"(?:[^"\\]|\\.)*"
        |=~|!~|!=|==|>=|<=|[-+*/%^<>=,(){}\[\]:]
        |[0-9]+(?:\.[0-9]+)?(?:e[0-9]+|ms|[smhdwy])?(?![A-Za-z_])
        |\$[A-Za-z_]+
        |[A-Za-z_:][A-Za-z0-9_:]*
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Token();

    [GeneratedRegex(@"\A[A-Za-z_]\w*\z")]
    private static partial Regex Name();
}
