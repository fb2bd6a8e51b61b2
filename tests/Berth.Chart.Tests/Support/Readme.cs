using System.Text;
using System.Text.RegularExpressions;

namespace Berth.Chart.Tests;

/// <summary>Makes the chart's README from values.yaml: a row for each value, with the comment before it.</summary>
internal static partial class Readme
{
    private const string Head = """
        # berth

        Per-user workspaces on Kubernetes: operator, edge, and what they need. [docs/install.md](../../docs/install.md) goes from nothing to
        a workspace, [docs/chart.md](../../docs/chart.md) explains the groups of values, upgrades, and what goes wrong.

            helm upgrade --install berth charts/berth --namespace berth --create-namespace -f my-values.yaml

        [values-dev.yaml](values-dev.yaml) is for trying out, [values-prod.yaml](values-prod.yaml) a start for production.
        `values.schema.json` refuses names that are not below.

        This page is made from the comments in [values.yaml](values.yaml):
        `UPDATE_GOLDEN=1 dotnet test tests/Berth.Chart.Tests --filter ReadmeTests`.

        """;

    // Values of any names: what is inside is somebody's, not the chart's.
    private static readonly string[] Whole = ["templates", "policy.spec", "workspaces.quota.hard", "networkPolicy.metricsFrom",
        "workspaces.limitRange.limits"];

    /// <summary>The whole page.</summary>
    public static string Make(string values)
    {
        var rows = Rows(values).ToList();
        var page = new StringBuilder(Head);
        foreach (var group in rows.GroupBy(r => r.Path.Contains('.', StringComparison.Ordinal) ? r.Path.Split('.')[0] : ""))
        {
            page.Append(group.Key.Length == 0 ? "\n## General\n" : $"\n## {group.Key}\n")
                .Append("\n| value | default | meaning |\n|---|---|---|\n");
            foreach (var row in group)
            {
                page.Append(System.Globalization.CultureInfo.InvariantCulture,
                    $"| {row.Path} | {(row.Default.Length == 0 ? "" : $"`{Cell(row.Default)}`")} | {Cell(row.Meaning)} |\n");
            }
        }

        return page.ToString();
    }

    private static IEnumerable<(string Path, string Default, string Meaning)> Rows(string values)
    {
        var stack = new List<(int Indent, string Name)>();
        var meaning = "";
        var lines = values.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (Comment().Match(lines[i]) is { Success: true } comment)
            {
                meaning = comment.Groups[1].Value;
                continue;
            }

            if (Entry().Match(lines[i]) is not { Success: true } entry)
            {
                continue;
            }

            var (indent, name, value) = (entry.Groups[1].Length, entry.Groups[2].Value, entry.Groups[3].Value.Trim());
            stack.RemoveAll(s => s.Indent >= indent);
            var path = string.Join('.', stack.Select(s => s.Name).Append(name));
            if (stack.Any(s => Whole.Contains(string.Join('.', stack.TakeWhile(t => t != s).Append(s).Select(t => t.Name)))))
            {
                continue;
            }

            stack.Add((indent, name));
            var isWhole = Whole.Contains(path);
            if (value.Length > 0 || isWhole)
            {
                yield return (path, value.Length > 0 ? value : "see values.yaml", meaning);
                meaning = "";
            }
            else if (meaning.Length > 0)
            {
                // Of a group; its members follow.
                yield return (path, "", meaning);
                meaning = "";
            }
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    [GeneratedRegex("^\\s*# -- (.*)$")]
    private static partial Regex Comment();

    [GeneratedRegex("^( *)([A-Za-z][A-Za-z0-9]*):(.*)$")]
    private static partial Regex Entry();
}
