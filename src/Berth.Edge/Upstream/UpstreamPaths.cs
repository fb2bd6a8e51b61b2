using System.Text;

namespace Berth.Edge;

/// <summary>Paths of the proxy.</summary>
internal static class UpstreamPaths
{
    /// <summary>What all of them begin with.</summary>
    public const string Prefix = "/proxy/";

    /// <summary>Whether a canonical path is the proxy's.</summary>
    public static bool IsProxy(string path) => path.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether a text can name a connection.</summary>
    public static bool IsConnectionName(string text) => text.Length is > 0 and <= 63 && char.IsAsciiLetterLower(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>Splits <c>/proxy/NAME/rest</c>; what is below begins with a slash, and is one where nothing follows the name.</summary>
    public static (string Connection, string Below) Split(string path)
    {
        var tail = path[Prefix.Length..];
        var slash = tail.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (tail, "/") : (tail[..slash], tail[slash..]);
    }

    /// <summary>
    /// Whether a canonical path may be compared with patterns: no empty segments, which some servers leave out, and escapes that are
    /// UTF-8, as overlong forms of a slash or dot are read as such by some.
    /// </summary>
    public static bool IsUnambiguous(string path) => !HasEmptySegment(path) && IsUtf8(path);

    /// <summary>Whether two slashes meet; one at the end is not empty but a directory.</summary>
    public static bool HasEmptySegment(string path) => path.Contains("//", StringComparison.Ordinal);

    /// <summary>Whether a text is a method that can be forwarded.</summary>
    public static bool IsMethod(string text) => text.Length is > 0 and <= 32 && text.All(char.IsAsciiLetterUpper)
        && text is not ("CONNECT" or "TRACE");

    private static bool IsUtf8(string path)
    {
        if (!path.Contains('%', StringComparison.Ordinal))
        {
            return true;
        }

        var bytes = new List<byte>(path.Length);
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%')
            {
                bytes.Add(Convert.ToByte(path.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                bytes.Add((byte)path[i]);
            }
        }

        try
        {
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount([.. bytes]);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
