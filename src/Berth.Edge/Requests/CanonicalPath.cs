using System.Text;

namespace Berth.Edge;

/// <summary>Which escapes a path may keep.</summary>
internal enum PathStrictness
{
    /// <summary>The edge's own origin: nothing that could split or end a path in someone else's reading.</summary>
    Strict,

    /// <summary>
    /// A workspace's host: <c>%23 %25 %3B %3F</c> stay, they occur in file names, and the edge decides by host there, not by path.
    /// </summary>
    Workspace,
}

/// <summary>One form for each path.</summary>
internal static class CanonicalPath
{
    /// <summary>Makes the canonical path, or null when the path is ambiguous or malformed.</summary>
    /// <remarks>
    /// Refused: encoded slash, backslash, NUL and control characters; dot segments in any spelling; raw backslash, <c>#</c>, controls,
    /// spaces, non-ASCII; broken escapes. Unreserved characters are decoded, other escapes written in upper case (RFC 3986, 6.2.2).
    /// </remarks>
    public static string? Make(ReadOnlySpan<char> path, PathStrictness strictness)
    {
        if (path.Length == 0 || path[0] != '/')
        {
            return null;
        }

        var result = new StringBuilder(path.Length);
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            if (c == '%')
            {
                if (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2]))
                {
                    return null;
                }

                var value = (char)Convert.ToByte(path.Slice(i + 1, 2).ToString(), 16);
                i += 2;
                if (value is '/' or '\\' or < ' ' or (char)0x7f
                    || (strictness == PathStrictness.Strict && value is ';' or '?' or '#' or '%'))
                {
                    return null;
                }

                if (IsUnreserved(value))
                {
                    result.Append(value);
                }
                else
                {
                    result.Append('%').Append(((int)value).ToString("X2"));
                }
            }
            else if (c is <= ' ' or >= (char)0x7f or '\\' or '#' or '?')
            {
                return null;
            }
            else if (c is '"' or '<' or '>' or '^' or '`' or '{' or '}' or '|')
            {
                // Browsers differ in whether they escape these; one form goes on.
                result.Append('%').Append(((int)c).ToString("X2"));
            }
            else
            {
                result.Append(c);
            }
        }

        var canonical = result.ToString();
        return HasDotSegment(canonical) ? null : canonical;
    }

    /// <summary>Whether a query (with or without its question mark) holds only characters that may stand there.</summary>
    public static bool IsQuery(ReadOnlySpan<char> query)
    {
        foreach (var c in query)
        {
            if (c is <= ' ' or >= (char)0x7f or '#')
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';

    private static bool HasDotSegment(string path)
    {
        foreach (var range in path.AsSpan().Split('/'))
        {
            var segment = path.AsSpan(range);

            // "..;x" is a dot segment to servers that take path parameters away first.
            var name = segment.IndexOf(';') is >= 0 and var end ? segment[..end] : segment;
            if (name is "." or "..")
            {
                return true;
            }
        }

        return false;
    }
}
