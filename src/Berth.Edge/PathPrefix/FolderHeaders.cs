using System.Text;
using Microsoft.Extensions.Primitives;

namespace Berth.Edge;

/// <summary>
/// Headers of a workspace's answer in path-prefix mode: what leads to the application's own paths leads into its folder. Pure but for the
/// headers.
/// </summary>
/// <remarks>
/// Bodies are never rewritten: a page that links to <c>/x</c> needs an application that knows its folder, or relative links.
/// </remarks>
internal static class FolderHeaders
{
    // They are about the whole origin, which is not this workspace's alone. NEL and Report-To would send it the addresses of the others'
    // failed requests.
    private static readonly string[] OfTheOrigin = ["Strict-Transport-Security", "NEL", "Report-To", "Accept-CH", "Use-As-Dictionary"];

    private static readonly string[] References = ["Location", "Content-Location", "SourceMap", "X-SourceMap"];

    /// <summary>Rewrites the headers in place.</summary>
    /// <param name="headers">Of the answer.</param>
    /// <param name="request">The request, in a folder.</param>
    /// <param name="origin">The shared origin.</param>
    public static void Confine(IHeaderDictionary headers, CanonicalRequest request, string origin)
    {
        var references = new FolderReferences(origin, request.Prefix, request.Path);
        foreach (var name in OfTheOrigin)
        {
            headers.Remove(name);
        }

        foreach (var name in References)
        {
            Each(headers, name, references.Rewrite);
        }

        Each(headers, "Refresh", v => Refresh(v, references));
        Each(headers, "Link", v => Link(v, references));
        Each(headers, "Service-Worker-Allowed", v => Scope(v, references, request.Prefix));
        Each(headers, "Set-Cookie", v => FolderCookies.FromApplication(v, references, request));
    }

    /// <summary>Refresh as browsers read it: seconds, a semicolon or comma, <c>url=</c> or not, a quoted or plain URL.</summary>
    internal static string Refresh(string value, FolderReferences references)
    {
        var end = value.AsSpan().IndexOfAny(';', ',');
        if (end < 0)
        {
            return value;
        }

        var url = value[(end + 1)..].Trim();
        if (url.StartsWith("url", StringComparison.OrdinalIgnoreCase) && url[3..].TrimStart() is ['=', .. var after])
        {
            url = after.Trim();
        }

        if (url is ['"' or '\'', ..])
        {
            var close = url.IndexOf(url[0], 1);
            url = close < 0 ? url[1..] : url[1..close];
        }

        return url.Length == 0 ? value : $"{value[..end]};url={references.Rewrite(url)}";
    }

    /// <summary>Link (RFC 8288): the targets between angle brackets, but not what stands in quotes.</summary>
    internal static string Link(string value, FolderReferences references)
    {
        var result = new StringBuilder(value.Length);
        var quoted = false;
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (quoted && c == '\\' && i + 1 < value.Length)
            {
                result.Append(c).Append(value[++i]);
            }
            else if (!quoted && c == '<' && value.IndexOf('>', i) is >= 0 and var close)
            {
                result.Append('<').Append(references.Rewrite(value[(i + 1)..close])).Append('>');
                i = close;
            }
            else
            {
                quoted ^= c == '"';
                result.Append(c);
            }
        }

        return result.ToString();
    }

    // How far a service worker may reach: never beyond the folder, whose neighbours are other workspaces.
    internal static string Scope(string value, FolderReferences references, string prefix)
    {
        var scope = references.Rewrite(value);
        return scope.StartsWith(prefix + "/", StringComparison.Ordinal) ? scope : prefix + "/";
    }

    private static void Each(IHeaderDictionary headers, string name, Func<string, string> change)
    {
        if (headers.TryGetValue(name, out var values) && values.Count > 0)
        {
            headers[name] = new StringValues([.. values.Select(v => change(v ?? ""))]);
        }
    }
}
