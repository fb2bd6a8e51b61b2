using System.Text.RegularExpressions;
using Testing;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>A metric as /metrics shows it.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="IsHistogram">Whether it has buckets.</param>
/// <param name="Labels">The labels it can have.</param>
public sealed record ExposedMetric(string Name, bool IsHistogram, IReadOnlySet<string> Labels);

/// <summary>
/// Every instrument that the programs make, read from their sources: names and units as they are created, labels as they are added. What is
/// read is compared with the tables of the documentation, one of which a running operator is compared with.
/// </summary>
public static partial class SourceInstruments
{
    /// <summary>All of them by name.</summary>
    public static IReadOnlyDictionary<string, ExposedMetric> All { get; } = Read();

    private static Dictionary<string, ExposedMetric> Read()
    {
        var found = new Dictionary<string, ExposedMetric>(StringComparer.Ordinal);
        foreach (var folder in (string[])["Berth.Accounts", "Berth.Edge", "Berth.Operator", "Kube.Runtime"])
        {
            var files = Directory.EnumerateFiles(Checkout.Path("src", folder), "*.cs", SearchOption.AllDirectories)
                .Where(f => !f.Split(Path.DirectorySeparatorChar).Contains("obj"));
            var sources = files.Select(f => Comment().Replace(File.ReadAllText(f), "")).ToList();
            foreach (var metric in sources.SelectMany(s => Of(s, sources)))
            {
                // Two meters may have an instrument of one name: one family in the text, with the labels of both.
                found[metric.Name] = found.TryGetValue(metric.Name, out var same)
                    ? same with { Labels = same.Labels.Union(metric.Labels).ToHashSet() } : metric;
            }
        }

        return found;
    }

    /// <summary>The instruments of one source file.</summary>
    /// <param name="source">Its text.</param>
    /// <param name="others">Texts of files that may hold what an observable instrument asks for its values.</param>
    public static IEnumerable<ExposedMetric> Of(string source, IReadOnlyCollection<string>? others = null)
    {
        foreach (Match match in Creation().Matches(source))
        {
            var kind = match.Groups["kind"].Value;
            var arguments = Arguments(source, match.Index + match.Length);
            var statement = StatementAround(source, match.Index);
            var unit = arguments.ElementAtOrDefault(kind.StartsWith("Observable", StringComparison.Ordinal) ? 2 : 1)?.Trim('"');
            var labels = LabelsOf(source, string.Join(',', arguments)).ToHashSet();
            if (Callback().Match(arguments.ElementAtOrDefault(1) ?? "") is { Success: true } callback)
            {
                var values = callback.Groups[1].Value;
                var asked = (others ?? []).Where(o => Regex.IsMatch(o, $@"IEnumerable<Measurement<\w+>> {Regex.Escape(values)}\("));
                labels.UnionWith(asked.SelectMany(o => LabelsOf(o, values)));
            }

            if (Field().Match(statement) is { Success: true } field)
            {
                foreach (Match use in Regex.Matches(source, $@"\b{Regex.Escape(field.Groups[1].Value)}\.(?:Add|Record)\("))
                {
                    labels.UnionWith(LabelsOf(source, string.Join(',', Arguments(source, use.Index + use.Length))));
                }
            }

            // A name that is a parameter comes from the calls in the same file.
            var names = arguments[0].StartsWith('"') ? [arguments[0].Trim('"')]
                : PassedName().Matches(source).Select(m => m.Groups[1].Value);
            foreach (var name in names)
            {
                yield return new ExposedMetric(NameOf(name, unit, kind), kind == "Histogram", labels);
            }
        }
    }

    // The rule of PrometheusCollector.
    private static string NameOf(string name, string? unit, string kind)
    {
        var safe = Regex.Replace(name, "[^A-Za-z0-9]", "_");
        var spelled = unit switch { "s" => "seconds", "ms" => "milliseconds", "By" => "bytes", _ => null };
        if (spelled is not null && !safe.EndsWith(spelled, StringComparison.Ordinal))
        {
            safe += "_" + spelled;
        }

        return kind is "Counter" or "ObservableCounter" && !safe.EndsWith("_total", StringComparison.Ordinal) ? safe + "_total" : safe;
    }

    /// <summary>Labels that a piece of code names, and those of the fields and helpers of the file that it uses.</summary>
    private static HashSet<string> LabelsOf(string source, string code)
    {
        var (labels, seen) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        var pending = new Stack<string>([code]);
        while (pending.TryPop(out var piece))
        {
            labels.UnionWith(Label().Matches(piece).Select(m => m.Groups[1].Value));
            foreach (var name in Identifier().Matches(Text().Replace(piece, "")).Select(m => m.Value).Where(seen.Add))
            {
                // A declaration has a type before it, a field may be set without one; the parameter of a lambda has neither.
                var escaped = Regex.Escape(name);
                var declaration = $@"(?:(?<=[\w>\]?]\s){escaped}|(?<=\s){(name[0] == '_' ? escaped : "(?!)")})(?:\([^()]*\))?\s*=>?\s";
                foreach (Match declared in Regex.Matches(source, declaration))
                {
                    var begin = declared.Index + declared.Length;
                    pending.Push(source[begin..Math.Max(source.IndexOf(';', begin), begin)]);
                }
            }
        }

        return labels;
    }

    private static string StatementAround(string source, int at) => source[(source.LastIndexOfAny([';', '{', '}'], at) + 1)..at];

    /// <summary>The arguments of a call whose bracket has just opened.</summary>
    private static List<string> Arguments(string source, int from)
    {
        var (arguments, depth, begin, inText) = (new List<string>(), 0, from, false);
        for (var i = from; i < source.Length; i++)
        {
            var c = source[i];
            inText ^= c == '"' && source[i - 1] != '\\';
            if (inText)
            {
                continue;
            }

            if ((c == ',' && depth == 0) || (c == ')' && depth == 0))
            {
                arguments.Add(source[begin..i].Trim());
                begin = i + 1;
                if (c == ')')
                {
                    break;
                }
            }

            depth += c is '(' or '[' or '{' ? 1 : c is ')' or ']' or '}' ? -1 : 0;
        }

        return arguments;
    }

    [GeneratedRegex(@"\.Create(?<kind>Counter|UpDownCounter|Histogram|Gauge|ObservableGauge|ObservableCounter)(?:<[a-z]+>)?\(")]
    private static partial Regex Creation();

    [GeneratedRegex(@"\A[A-Z_]\w*\.(\w+)\z")]
    private static partial Regex Callback();

    [GeneratedRegex("""\b[A-Z]\w+\("(berth_[a-z_]+)", "[A-Z]""")]
    private static partial Regex PassedName();

    [GeneratedRegex(@"(_\w+)\s*=\s*\w+$")]
    private static partial Regex Field();

    [GeneratedRegex("""(?:new|KeyValuePair<string,\s*object\?>)\("([a-zA-Z]+)",""")]
    private static partial Regex Label();

    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"
        """)]
    private static partial Regex Text();

    [GeneratedRegex(@"\b[A-Za-z_]\w*\b")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
