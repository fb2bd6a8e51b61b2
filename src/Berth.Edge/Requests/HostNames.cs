using System.Buffers;
using System.Globalization;
using System.Net;

namespace Berth.Edge;

/// <summary>Canonical host names.</summary>
internal static class HostNames
{
    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>
    /// Lower case, without a trailing dot; null when it is not a host name (letters, digits, dashes; punycode checked) or an IP literal.
    /// </summary>
    public static string? Canonicalise(ReadOnlySpan<char> host)
    {
        if (host.Length is 0 or > 255)
        {
            return null;
        }

        if (host[0] == '[')
        {
            return host[^1] == ']' && host.IndexOf('%') < 0 && IPAddress.TryParse(host[1..^1], out var v6)
                ? $"[{v6}]"
                : null;
        }

        if (host[^1] == '.')
        {
            host = host[..^1];
        }

        var text = host.ToString().ToLowerInvariant();
        foreach (var label in text.AsSpan().Split('.'))
        {
            if (!IsLabel(text.AsSpan(label)))
            {
                return null;
            }
        }

        return text.Length <= 253 ? text : null;
    }

    /// <summary>Whether the host is one label below the domain; the label comes back.</summary>
    public static bool IsOneLabelBelow(string host, string domain, out string label)
    {
        label = "";
        if (host.Length <= domain.Length + 1 || !host.EndsWith(domain, StringComparison.Ordinal)
            || host[host.Length - domain.Length - 1] != '.')
        {
            return false;
        }

        label = host[..(host.Length - domain.Length - 1)];
        return !label.Contains('.');
    }

    /// <summary>localhost, a name below it, or a loopback address.</summary>
    public static bool IsLoopback(string host) => host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>https, or http on loopback: what may carry secrets.</summary>
    public static bool IsSecureUrl(Uri uri) => uri.Scheme == "https" || (uri.Scheme == "http" && IsLoopback(uri.Host));

    private static bool IsLabel(ReadOnlySpan<char> label)
    {
        if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-' || label.ContainsAnyExcept(LabelCharacters))
        {
            return false;
        }

        // A label that claims to be punycode must be what its own decoding encodes to; two spellings of one name would be two names to us.
        return !label.StartsWith("xn--", StringComparison.Ordinal) || IsRoundTrip(label.ToString());
    }

    private static bool IsRoundTrip(string label)
    {
        try
        {
            var mapping = new IdnMapping();
            return mapping.GetAscii(mapping.GetUnicode(label)) == label;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
