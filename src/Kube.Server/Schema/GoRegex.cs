using System.Text.RegularExpressions;

namespace Kube.Server.Schema;

/// <summary>Go's regular expressions on .NET: linear time, and <c>$</c> means the very end.</summary>
internal static class GoRegex
{
    public static Regex Compile(string pattern)
    {
        var text = new System.Text.StringBuilder(pattern.Length + 8);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                text.Append(c).Append(pattern[++i]);
                continue;
            }
            inClass = c == '[' || (inClass && c != ']');
            text.Append(c == '$' && !inClass ? "\\z" : c == '(' && pattern.AsSpan(i).StartsWith("(?P<") ? "(" : c.ToString());
            if (c == '(' && pattern.AsSpan(i).StartsWith("(?P<"))
            {
                text.Append('?');
                i += 2;
            }
        }
        try
        {
            return new Regex(text.ToString(), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException("look-arounds and back-references are not supported", e);
        }
    }
}
