using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Berth.Edge.Tests.Traefik;

/// <summary>What a rule is asked about.</summary>
/// <param name="Host">Lower case, no port, no trailing dot.</param>
/// <param name="Path">As Traefik of the version matches paths.</param>
/// <param name="Headers">Headers.</param>
internal sealed record RuleInput(string Host, string Path, IHeaderDictionary Headers);

/// <summary>
/// Traefik's rule language, the part that the operator writes: Host, PathPrefix, HeaderRegexp, <c>&amp;&amp; || ! ( )</c>, arguments in
/// back-ticks. Anything else is an error: Traefik would drop the route.
/// </summary>
internal sealed partial class TraefikRule
{
    private readonly Queue<string> _tokens;

    private TraefikRule(string text)
    {
        _tokens = new Queue<string>(Token().Matches(text).Select(m => m.Value));
        if (Token().Replace(text, "").Trim(' ').Length > 0)
        {
            throw new FormatException($"Traefik would not read the rule {text}.");
        }
    }

    /// <summary>Reads a rule.</summary>
    public static Func<RuleInput, bool> Parse(string text)
    {
        var reader = new TraefikRule(text);
        var rule = reader.Or();
        return reader._tokens.Count == 0 ? rule : throw new FormatException($"Traefik would not read the end of the rule {text}.");
    }

    private bool Take(string token) => _tokens.TryPeek(out var next) && next == token && _tokens.Dequeue() == token;

    private Func<RuleInput, bool> Or()
    {
        var left = And();
        while (Take("||"))
        {
            var (a, b) = (left, And());
            left = i => a(i) || b(i);
        }

        return left;
    }

    private Func<RuleInput, bool> And()
    {
        var left = Not();
        while (Take("&&"))
        {
            var (a, b) = (left, Not());
            left = i => a(i) && b(i);
        }

        return left;
    }

    private Func<RuleInput, bool> Not()
    {
        if (Take("!"))
        {
            var inner = Not();
            return i => !inner(i);
        }

        if (Take("("))
        {
            var inner = Or();
            return Take(")") ? inner : throw new FormatException("A parenthesis is open.");
        }

        return Matcher();
    }

    private Func<RuleInput, bool> Matcher()
    {
        var name = _tokens.Dequeue();
        var arguments = new List<string>();
        if (!Take("("))
        {
            throw new FormatException($"{name} has no arguments.");
        }

        do
        {
            arguments.Add(_tokens.Dequeue().Trim('`'));
        }
        while (Take(","));

        _ = Take(")") ? 0 : throw new FormatException($"{name} does not end.");
        return (name, arguments) switch
        {
            ("Host", [var host]) => i => i.Host == host,
            ("PathPrefix", [var prefix]) => i => i.Path.StartsWith(prefix, StringComparison.Ordinal),
            ("HeaderRegexp", [var header, var pattern]) =>
                i => i.Headers[header].Any(v => v is not null && Regex.IsMatch(v, pattern, RegexOptions.CultureInvariant)),
            _ => throw new FormatException($"{name} with {arguments.Count} arguments is not modelled."),
        };
    }

    [GeneratedRegex("`[^`]*`|&&|\\|\\||[!(),]|[A-Za-z]+")]
    private static partial Regex Token();
}
