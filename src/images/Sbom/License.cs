using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Berth.Images.Sbom;

/// <summary>What something may be used under: an SPDX expression, or only a name that somebody gave it.</summary>
/// <param name="Text">The expression or the name.</param>
/// <param name="IsSpdx">Whether it is one of SPDX.</param>
internal sealed partial record License(string Text, bool IsSpdx)
{
    // CycloneDX takes an id only from SPDX's list; of that these are what is met in Debian and on NuGet. Others are written as expressions,
    // which any id is.
    private static readonly HashSet<string> Ids = new(StringComparer.Ordinal)
    {
        "0BSD", "AFL-2.1", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-1.1", "Apache-2.0", "Artistic-2.0", "BSD-1-Clause",
        "BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause", "BSD-4-Clause-UC", "BSL-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0",
        "CC-BY-SA-4.0", "CC0-1.0", "CDDL-1.0", "EPL-1.0", "EPL-2.0", "FSFAP", "FSFUL", "FSFULLR", "FTL", "GFDL-1.2-only",
        "GFDL-1.2-or-later", "GFDL-1.3-only", "GFDL-1.3-or-later", "GFDL-1.3-no-invariants-only",
        "GFDL-1.3-no-invariants-or-later", "GFDL-1.2-no-invariants-only", "GFDL-1.2-no-invariants-or-later", "GPL-1.0-only",
        "GPL-1.0-or-later", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "ICU", "ISC",
        "LGPL-2.0-only", "LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later",
        "LPPL-1.3c", "MIT", "MPL-1.1", "MPL-2.0", "MS-PL", "NCSA", "OFL-1.1", "OLDAP-2.8", "OpenSSL", "PostgreSQL",
        "Unicode-DFS-2016", "Unlicense", "Vim", "WTFPL", "X11", "Zlib",
    };

    /// <summary>Whether it is one licence, and not an expression of several.</summary>
    public bool IsId => IsSpdx && Ids.Contains(Text);

    /// <summary>An id of those above by its name in any case; null where there is none.</summary>
    public static string? FindId(string name) => Ids.FirstOrDefault(i => i.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>What a package states as an SPDX expression; a name where it is none.</summary>
    public static License OfExpression(string text) => new(text, ExpressionText().IsMatch(text));

    /// <summary>
    /// As CycloneDX wants several: either licences, or one expression and nothing beside it. So where there is an expression among them,
    /// all become one, if they can: what is under several licences is under the first and the second.
    /// </summary>
    public static JsonArray Describe(IReadOnlyList<License> licenses)
    {
        if (licenses.All(l => l.IsSpdx) && !licenses.All(l => l.IsId))
        {
            var all = licenses is [var one] ? one.Text
                : string.Join(" AND ", licenses.Select(l => l.Text.Contains(' ', StringComparison.Ordinal) ? $"({l.Text})" : l.Text));
            return [new JsonObject { ["expression"] = all }];
        }

        return [.. licenses.Select(l => new JsonObject { ["license"] = new JsonObject { [l.IsId ? "id" : "name"] = l.Text } })];
    }

    /// <summary>Reads what <see cref="Describe"/> wrote; what is of another form is left out.</summary>
    public static IReadOnlyList<License> Read(JsonNode? licenses) =>
        [.. (licenses as JsonArray ?? []).OfType<JsonObject>().Select(Read).OfType<License>()];

    private static License? Read(JsonObject said) => said.Text("expression") is { } expression ? new License(expression, true)
        : said["license"] is not JsonObject license ? null
        : license.Text("id") is { } id ? new License(id, true)
        : license.Text("name") is { } name ? new License(name, false) : null;

    // Ids with operators between them; whether brackets are in pairs is nobody's worry here.
    [GeneratedRegex(@"\A\(*[A-Za-z0-9][A-Za-z0-9.:-]*\+?\)*( (AND|OR|WITH) \(*[A-Za-z0-9][A-Za-z0-9.:-]*\+?\)*){0,50}\z")]
    private static partial Regex ExpressionText();
}

/// <summary>Texts of JSON that may be anything.</summary>
internal static class JsonText
{
    /// <summary>A member that is a text; null where there is none.</summary>
    public static string? Text(this JsonNode? node, string name) =>
        node is JsonObject o && o[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
