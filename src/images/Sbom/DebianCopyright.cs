using System.Text.RegularExpressions;

namespace Berth.Images.Sbom;

/// <summary>
/// Licences of a Debian package, from <c>usr/share/doc/PACKAGE/copyright</c> where that is of the form that programs can read (DEP 5).
/// What is said there in words alone stays unsaid: a guess would be worse than nothing.
/// </summary>
internal static partial class DebianCopyright
{
    // The largest that Debian has are some hundred kilobytes, of packages that no image of ours holds.
    private const int MostBytes = 4 << 20;
    private const int MostLicenses = 200;
    private const int LongestName = 200;

    // Debian's names for what SPDX calls otherwise. Not here, since they may mean one of several: BSD, Artistic, Python, public-domain,
    // and all exceptions.
    private static readonly Dictionary<string, string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Expat"] = "MIT",
        ["Apache-2"] = "Apache-2.0",
        ["Artistic-2"] = "Artistic-2.0",
        ["CC0"] = "CC0-1.0",
        ["MPL-2"] = "MPL-2.0",
    };

    // Ids of SPDX that Debian uses for whole families.
    private static readonly HashSet<string> Ambiguous = new(StringComparer.OrdinalIgnoreCase) { "MIT", "X11" };

    /// <summary>Reads them; none where nothing is stated in that form.</summary>
    /// <param name="root">The image.</param>
    /// <param name="package">Name of the package.</param>
    public static IReadOnlyList<License> Read(ImageRoot root, string package)
    {
        if (!PackageName().IsMatch(package))
        {
            return [];
        }

        try
        {
            return root.Read($"usr/share/doc/{package}/copyright", MostBytes) is { } text ? Parse(text) : [];
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // One package's file says nothing of the others.
            return [];
        }
    }

    /// <summary>The licences of a file's text, in the order of their names.</summary>
    public static IReadOnlyList<License> Parse(string text)
    {
        var paragraphs = Deb822.Paragraphs(text);
        using var each = paragraphs.GetEnumerator();
        if (!each.MoveNext() || !each.Current.TryGetValue("Format", out var format)
            || !format.Contains("copyright-format", StringComparison.OrdinalIgnoreCase))
        {
            return [];
        }

        // Paragraphs with a licence and no files give the words of one that is named elsewhere; the first is for the whole package.
        var named = paragraphs.Where((p, i) => i == 0 || p.ContainsKey("Files")).Select(p => p.GetValueOrDefault("License", ""));
        return [.. named.SelectMany(Translate).Distinct().Take(MostLicenses).OrderBy(l => l.Text, StringComparer.Ordinal)];
    }

    private static IEnumerable<License> Translate(string name)
    {
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl))
        {
            return [];
        }

        // "and" binds closer than "or" here as there; commas say otherwise, and have no counterpart.
        var words = name.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (terms, operators) = (words.Where((_, i) => i % 2 == 0).Select(Id).ToList(), words.Where((_, i) => i % 2 == 1).ToList());
        if (words.Length % 2 == 0 || terms.Contains(null) || operators.Exists(o => o is not ("and" or "or")))
        {
            return [new License(string.Join(' ', words), false)];
        }

        return operators.Contains("or")
            ? [new License(string.Join(' ', words.Select((w, i) => i % 2 == 1 ? w.ToUpperInvariant() : terms[i / 2])), true)]
            : terms.Select(t => new License(t!, true));
    }

    private static string? Id(string name)
    {
        if (Names.GetValueOrDefault(name) is { } other)
        {
            return other;
        }

        // The GNU licences: "GPL-2+" is this version or a later one, "GPL-2" this one alone.
        if (Gnu().Match(name) is { Success: true } gnu)
        {
            var version = gnu.Groups["version"].Value;
            var invariants = gnu.Groups["niv"].Success ? "-no-invariants" : "";
            var full = version.Contains('.', StringComparison.Ordinal) ? version : version + ".0";
            return License.FindId($"{gnu.Groups["name"]}-{full}{invariants}-{(gnu.Groups["later"].Success ? "or-later" : "only")}");
        }

        return Ambiguous.Contains(name) ? null : License.FindId(name);
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9+.-]{0,100}\z")]
    private static partial Regex PackageName();

    [GeneratedRegex(@"\A(?<name>A?GPL|LGPL|GFDL)(?<niv>-NIV)?-(?<version>[1-3](\.[0-9])?)(?<later>\+)?\z", RegexOptions.IgnoreCase)]
    private static partial Regex Gnu();
}
