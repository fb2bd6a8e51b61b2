using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>
/// A path that may be called: segments, <c>*</c> for any one segment, <c>**</c> at the end for anything below (and the path itself).
/// </summary>
/// <remarks>It is compared with canonical paths only, segment by segment and letter by letter: nothing is decoded here.</remarks>
internal sealed record PathPattern
{
    private ImmutableArray<string> _segments;
    private bool _isOpen;

    private PathPattern()
    {
    }

    /// <summary>Methods it holds for; empty for all that the connection allows.</summary>
    public ImmutableSortedSet<string> Methods { get; private init; } = [];

    /// <summary>Parses a pattern; null when it is none, and then <paramref name="problem"/> says why.</summary>
    public static PathPattern? Parse(string text, out string problem)
    {
        problem = "";
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 0 or > 2 || !parts[^1].StartsWith('/'))
        {
            problem = "give a path such as /repos/*/issues/**, or methods, one space and a path";
            return null;
        }

        ImmutableSortedSet<string> methods = parts.Length == 2 ? [.. parts[0].Split(',')] : [];
        if (methods.Any(m => !UpstreamPaths.IsMethod(m)))
        {
            problem = "methods before the path are upper-case words with commas between them, such as GET,HEAD";
            return null;
        }

        var path = parts[^1];
        var segments = path[1..].Split('/');
        var isOpen = segments[^1] == "**";
        if (isOpen)
        {
            segments = segments[..^1];
        }

        if (segments.Any(s => s.Contains('*', StringComparison.Ordinal) && s != "*"))
        {
            problem = "* stands for a whole segment, and ** for whatever follows at the end";
            return null;
        }

        if (CanonicalPath.Make(path, PathStrictness.Strict) != path || UpstreamPaths.HasEmptySegment(path))
        {
            problem = "write the path in its canonical form: no dot segments, no empty ones, no escapes of what needs none, no query";
            return null;
        }

        return new PathPattern { Methods = methods, _segments = [.. segments], _isOpen = isOpen };
    }

    /// <summary>Whether a canonical path fits, whatever the method.</summary>
    public bool Matches(string path)
    {
        var segments = path[1..].Split('/');
        if (_isOpen ? segments.Length < _segments.Length : segments.Length != _segments.Length)
        {
            return false;
        }

        for (var i = 0; i < _segments.Length; i++)
        {
            if (_segments[i] == "*" ? segments[i].Length == 0 : segments[i] != _segments[i])
            {
                return false;
            }
        }

        return true;
    }
}
