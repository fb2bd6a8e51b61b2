using System.Runtime.Versioning;
using System.Text;

namespace Berth.Operator.Archives;

/// <summary>What may be written where: an archive may come from anywhere, and must not write beside its folder.</summary>
[SupportedOSPlatform("linux")]
internal static class ArchivePaths
{
    private const int MaxName = 255;
    private const int MaxPath = 4000;

    /// <summary>
    /// The name of a path within the tar file. A line break is written as %0A (and then a per cent sign as %25), because .NET's reader
    /// takes lines for records; names without %0A and %25, nearly all there are, stay as they are.
    /// </summary>
    internal static string NameOf(string path) => ArchiveWriter.Root + Written(path);

    /// <summary>A text as it is written in the tar file.</summary>
    internal static string Written(string text) => IsPlain(text)
        ? text
        : text.Replace("%", "%25", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    /// <summary>The text that <see cref="Written"/> was made from.</summary>
    internal static string Meant(string written) =>
        written.Replace("%0A", "\n", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal);

    private static bool IsPlain(string text) => !text.Contains('\n', StringComparison.Ordinal)
        && !text.Contains("%0A", StringComparison.Ordinal) && !text.Contains("%25", StringComparison.Ordinal);

    /// <summary>The path of an entry below the volume's root.</summary>
    /// <exception cref="ArchiveException">It leads elsewhere, or cannot be a path.</exception>
    internal static string Below(string name, string what)
    {
        if (!name.StartsWith(ArchiveWriter.Root, StringComparison.Ordinal))
        {
            throw new ArchiveException($"The archive is refused: {what} '{Short(name)}' does not lie in {ArchiveWriter.Root}.");
        }

        var path = Meant(name[ArchiveWriter.Root.Length..]).TrimEnd('/');
        var parts = path.Split('/');
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(path) > MaxPath
            || parts.Any(p => p is "" or "." or ".." || Encoding.UTF8.GetByteCount(p) > MaxName)
            || VolumeTree.IsApart(parts[0]))
        {
            throw new ArchiveException($"The archive is refused: {what} '{Short(name)}' is no path within a volume.");
        }

        return path;
    }

    private static string Short(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
