namespace Berth.Images.Sbom;

/// <summary>What Debian's packages are in an image: <c>var/lib/dpkg/status</c>, and <c>status.d</c> where there is no package manager.</summary>
internal static class DpkgStatus
{
    /// <summary>Reads both, as far as they are there.</summary>
    /// <param name="root">The file system of the image.</param>
    public static IEnumerable<Component> Read(string root)
    {
        var folder = Path.Combine(root, "var", "lib", "dpkg");
        var single = Path.Combine(folder, "status.d");
        var files = new[] { Path.Combine(folder, "status") }.Where(File.Exists)
            .Concat(Directory.Exists(single)
                ? Directory.EnumerateFiles(single).Where(f => !f.EndsWith(".md5sums", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
                : []);
        var distribution = Distribution(root);
        return files.SelectMany(f => Paragraphs(File.ReadLines(f)).Select(p => Package(p, distribution)).OfType<Component>());
    }

    /// <summary>One package; null for one that is removed and has only its settings left, and for what is no package.</summary>
    internal static Component? Package(IReadOnlyDictionary<string, string> paragraph, string distribution)
    {
        if (!paragraph.TryGetValue("Package", out var name) || !paragraph.TryGetValue("Version", out var version)
            || (paragraph.TryGetValue("Status", out var status) && !status.EndsWith(" installed", StringComparison.Ordinal)))
        {
            return null;
        }

        var architecture = paragraph.GetValueOrDefault("Architecture", "all");
        return new Component(name, version,
            $"pkg:deb/debian/{Uri.EscapeDataString(name)}@{Uri.EscapeDataString(version)}?arch={Uri.EscapeDataString(architecture)}&distro={distribution}");
    }

    /// <summary>The paragraphs of a control file (deb822); lines that go on an earlier one are left out.</summary>
    internal static IEnumerable<IReadOnlyDictionary<string, string>> Paragraphs(IEnumerable<string> lines)
    {
        var paragraph = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                if (paragraph.Count > 0)
                {
                    yield return paragraph;
                    paragraph = new(StringComparer.OrdinalIgnoreCase);
                }
            }
            else if (!char.IsWhiteSpace(line[0]) && line.IndexOf(':', StringComparison.Ordinal) is > 0 and var at)
            {
                paragraph[line[..at]] = line[(at + 1)..].Trim();
            }
        }

        if (paragraph.Count > 0)
        {
            yield return paragraph;
        }
    }

    private static string Distribution(string root)
    {
        var values = new[] { "etc/os-release", "usr/lib/os-release" }.Select(f => Path.Combine(root, f)).Where(File.Exists).Take(1)
            .SelectMany(File.ReadLines)
            .Select(l => l.Split('=', 2))
            .Where(p => p.Length == 2)
            .ToDictionary(p => p[0], p => p[1].Trim('"'));
        return $"{values.GetValueOrDefault("ID", "debian")}-{values.GetValueOrDefault("VERSION_ID", "unknown")}";
    }
}
