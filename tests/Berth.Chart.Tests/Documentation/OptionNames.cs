using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using Berth.Chart.Tests.Monitoring;
using Berth.Edge;
using Berth.Operator;
using Testing;

namespace Berth.Chart.Tests.Documentation;

/// <summary>Options of edge and operator by their names in configuration.</summary>
internal static partial class OptionNames
{
    // The edge's own section has those of its parts beside its own.
    private static readonly Type[] Roots = [typeof(BerthEdgeOptions), typeof(Berth.Edge.EdgeOptions), typeof(OperatorOptions)];

    // The operator reads some under other names than its properties have: those that its sources ask for.
    private static readonly HashSet<string> ReadByName =
    [
        .. Directory.EnumerateFiles(Checkout.Path("src", "Berth.Operator", "Configuration"), "*.cs")
            .SelectMany(f => Asked().Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value),
    ];

    /// <summary>Whether the program of either has an option of this path; an index is any part below a list.</summary>
    public static bool Exists(IReadOnlyList<string> path) =>
        Roots.Any(r => Exists(r, path, 0)) || ReadByName.Contains(string.Join(':', path));

    private static bool Exists(Type type, IReadOnlyList<string> path, int at)
    {
        if (at == path.Count)
        {
            return true;
        }

        if (ElementOf(type) is { } element)
        {
            return Exists(element, path, at + 1);
        }

        var property = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .FirstOrDefault(p => p.Name.Equals(path[at], StringComparison.OrdinalIgnoreCase));
        return property is not null && Exists(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, path, at + 1);
    }

    [GeneratedRegex("""source\.\w+\("([A-Za-z0-9:]+)""")]
    private static partial Regex Asked();

    private static Type? ElementOf(Type type) => type == typeof(string) || !typeof(IEnumerable).IsAssignableFrom(type) ? null
        : type.IsArray ? type.GetElementType() : type.GetGenericArguments().LastOrDefault();
}
