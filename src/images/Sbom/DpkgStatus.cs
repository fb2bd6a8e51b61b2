using System.Text.RegularExpressions;

namespace Berth.Images.Sbom;

/// <summary>
/// What Debian's packages are in an image: <c>var/lib/dpkg/status</c>, and <c>status.d</c> where there is no package manager.
/// </summary>
internal static partial class DpkgStatus
{
    private const string Folder = "var/lib/dpkg";

    // Of a desktop with everything it has some 20 MB.
    private const int MostBytes = 64 << 20;

    /// <summary>Reads both, as far as they are there.</summary>
    /// <param name="root">The file system of the image.</param>
    public static IEnumerable<Component> Read(ImageRoot root)
    {
        var distribution = Distribution(root);
        return root.Files($"{Folder}/status.d").Where(f => !f.EndsWith(".md5sums", StringComparison.Ordinal))
            .Select(f => $"{Folder}/status.d/{f}")
            .Prepend($"{Folder}/status")
            .Select(f => root.Read(f, MostBytes)).OfType<string>()
            .SelectMany(text => Deb822.Paragraphs(text).Select(p => Package(p, distribution)).OfType<Component>())
            .Select(c => c with { Licenses = DebianCopyright.Read(root, c.Name) });
    }

    // Null for one that is removed and has only its settings left, and for what is no package.
    private static Component? Package(IReadOnlyDictionary<string, string> paragraph, (string Id, string Version) distribution)
    {
        if (!paragraph.TryGetValue("Package", out var name) || !paragraph.TryGetValue("Version", out var version)
            || name.Length == 0 || version.Length == 0
            || (paragraph.TryGetValue("Status", out var status) && !status.EndsWith(" installed", StringComparison.Ordinal)))
        {
            return null;
        }

        var architecture = paragraph.GetValueOrDefault("Architecture", "all");
        return new Component(name, version,
            $"pkg:deb/{distribution.Id}/{Uri.EscapeDataString(name)}@{Uri.EscapeDataString(version)}"
            + $"?arch={Uri.EscapeDataString(architecture)}&distro={distribution.Id}-{Uri.EscapeDataString(distribution.Version)}");
    }

    // Whose package it is stands in its address: what is mended in Ubuntu's is not in Debian's of the same version.
    private static (string Id, string Version) Distribution(ImageRoot root)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var text = root.Read("etc/os-release", MostBytes) ?? root.Read("usr/lib/os-release", MostBytes) ?? "";
        foreach (var pair in text.Split('\n').Select(l => l.Split('=', 2)).Where(p => p.Length == 2))
        {
            values[pair[0]] = pair[1].Trim().Trim('"');
        }

        var id = values.GetValueOrDefault("ID", "debian");
        return (DistributionId().IsMatch(id) ? id : "debian", values.GetValueOrDefault("VERSION_ID", "unknown"));
    }

    [GeneratedRegex(@"\A[a-z0-9._-]{1,50}\z")]
    private static partial Regex DistributionId();
}
