using System.Text;

namespace Berth.Edge;

/// <summary>
/// Where a URL reference in an answer leads once the application is in a folder. Pure. A reference to the application's own host gets the
/// folder in front of
/// its path, one that has it already stays, and one to anywhere else is not touched.
/// </summary>
/// <remarks>
/// References are read as browsers read them (WHATWG URL): a backslash is a slash, encoded dots are dots, tabs are not there. Otherwise
/// <c>/..%2e/x</c> or
/// <c>/\t/host</c> would lead past the folder, or elsewhere than the application meant.
/// </remarks>
/// <param name="origin">The shared origin, such as <c>https://workspaces.example.dev</c>.</param>
/// <param name="prefix">The folder, such as <c>/w/ws-one</c>.</param>
/// <param name="basePath">Path of the request within the folder, which relative references start from.</param>
internal sealed class FolderReferences(string origin, string prefix, string basePath)
{
    private readonly string _scheme = origin[..origin.IndexOf(':')];
    private readonly string _authority = origin[(origin.IndexOf("//", StringComparison.Ordinal) + 2)..];

    /// <summary>The reference as the browser has to see it.</summary>
    public string Rewrite(string reference)
    {
        var text = reference.Trim([.. Enumerable.Range(0, 0x21).Select(c => (char)c)]);
        if (text.AsSpan().ContainsAny('\t', '\r', '\n'))
        {
            text = string.Concat(text.Where(c => c is not ('\t' or '\r' or '\n')));
        }

        var (head, tail) = Split(text);
        if (SchemeOf(head) is { } scheme)
        {
            var rest = head[(scheme.Length + 1)..].Replace('\\', '/');
            if (!scheme.Equals("http", StringComparison.OrdinalIgnoreCase) && !scheme.Equals("https", StringComparison.OrdinalIgnoreCase))
            {
                return reference;
            }

            // "https:x" and "https:/x" are relative to a page of the same scheme; with any other number of slashes a host follows.
            return !rest.StartsWith("//", StringComparison.Ordinal) && scheme.Equals(_scheme, StringComparison.OrdinalIgnoreCase)
                ? Relative(rest, tail) : Absolute(rest, tail) ?? reference;
        }

        head = head.Replace('\\', '/');
        return head.StartsWith("//", StringComparison.Ordinal) ? Absolute(head, tail) ?? reference : Relative(head, tail);
    }

    /// <summary>The path within the origin, with the folder in front and nothing in it that could lead out.</summary>
    public string Confine(string path)
    {
        path = WithoutDots(path);
        return path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal) ? path : prefix + path;
    }

    private static (string Head, string Tail) Split(string text)
    {
        var end = text.AsSpan().IndexOfAny('?', '#');
        return end < 0 ? (text, "") : (text[..end], text[end..]);
    }

    // RFC 3986, 3.1; null where there is none.
    private static string? SchemeOf(string head)
    {
        var colon = head.IndexOf(':');
        return colon > 0 && char.IsAsciiLetter(head[0]) && head.Take(colon).All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.')
            ? head[..colon] : null;
    }

    private static bool IsDots(string segment, int count)
    {
        var plain = segment.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase);
        return plain.Length == count && plain.All(c => c == '.');
    }

    // RFC 3986, 5.2.4.
    private static string WithoutDots(string path)
    {
        var kept = new List<string>();
        var segments = path.Split('/')[1..];
        for (var i = 0; i < segments.Length; i++)
        {
            var isParent = IsDots(segments[i], 2);
            if (!isParent && !IsDots(segments[i], 1))
            {
                kept.Add(segments[i]);
                continue;
            }

            if (isParent && kept.Count > 0)
            {
                kept.RemoveAt(kept.Count - 1);
            }

            if (i == segments.Length - 1)
            {
                kept.Add("");
            }
        }

        return new StringBuilder("/").AppendJoin('/', kept).ToString();
    }

    // Null for other hosts. Whatever the scheme: an application behind a proxy often takes its own for http.
    private string? Absolute(string slashesAndMore, string tail)
    {
        var rest = slashesAndMore.TrimStart('/');
        var slash = rest.IndexOf('/');
        var authority = slash < 0 ? rest : rest[..slash];
        return authority.Equals(_authority, StringComparison.OrdinalIgnoreCase)
            ? origin + Confine(slash < 0 ? "/" : rest[slash..]) + tail : null;
    }

    private string Relative(string path, string tail)
    {
        if (path.StartsWith('/'))
        {
            return Confine(path) + tail;
        }

        // Without dots it stays below where it is; with them, the browser would climb above the folder, which the application does not know
        // of.
        return path.Split('/').Any(s => IsDots(s, 1) || IsDots(s, 2))
            ? Confine(basePath[..(basePath.LastIndexOf('/') + 1)] + path) + tail
            : path + tail;
    }
}
