namespace Berth.Images.Sbom;

/// <summary>Debian's control files: paragraphs of fields.</summary>
internal static class Deb822
{
    /// <summary>The paragraphs; of a field that goes on over several lines the first one, of one that is there twice the last.</summary>
    public static IEnumerable<IReadOnlyDictionary<string, string>> Paragraphs(string text)
    {
        var paragraph = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        using var lines = new StringReader(text);
        while (lines.ReadLine() is { } line)
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
}
