namespace Berth.Edge;

/// <summary>Cookies of an application in a folder: sent back to this folder only. Pure.</summary>
/// <remarks>
/// A cookie whose name begins with <c>__Host-</c> must have the path <c>/</c>, and would reach every workspace. It travels as
/// <c>__Secure-berth-app-</c> and the
/// rest of its name with the folder as its path; the application sees the name it chose. What comes from the browser under a true
/// <c>__Host-</c> name was set
/// by nobody but scripts of other workspaces, and is taken out.
/// </remarks>
internal static class FolderCookies
{
    private const string HostPrefix = "__Host-";
    private const string Stand = "__Secure-berth-app-";

    /// <summary>A Set-Cookie value with its path in the folder; Domain was taken out before.</summary>
    /// <param name="value">As the application sent it.</param>
    /// <param name="references">Of this request.</param>
    /// <param name="request">This request.</param>
    public static string FromApplication(string value, FolderReferences references, CanonicalRequest request)
    {
        var parts = value.Split(';');
        var pair = parts[0].TrimStart();
        if (pair.StartsWith(HostPrefix, StringComparison.OrdinalIgnoreCase))
        {
            pair = Stand + pair[HostPrefix.Length..];
        }

        // The last Path counts, and one that does not begin with a slash is none (RFC 6265, 5.2.4 and 5.3): then it is the folder of the
        // request.
        string? path = null;
        var others = new List<string>(parts.Length);
        foreach (var part in parts[1..])
        {
            if (AttributeValue(part, "Path") is { } given)
            {
                path = given.StartsWith('/') ? given : null;
            }
            else
            {
                others.Add(part);
            }
        }

        path ??= request.Path.LastIndexOf('/') is > 0 and var last ? request.Path[..last] : "/";
        var confined = references.Confine(path);
        return string.Join(';', [pair, .. others, " Path=" + (confined == request.Prefix ? confined + "/" : confined)]);
    }

    /// <summary>A Cookie value, without the edge's own, as the application knows it; null when nothing is left.</summary>
    public static string? ToApplication(string cookies)
    {
        var kept = new List<string>();
        foreach (var pair in cookies.Split(';').Select(p => p.Trim()))
        {
            if (pair.StartsWith(Stand, StringComparison.Ordinal))
            {
                kept.Add(HostPrefix + pair[Stand.Length..]);
            }
            else if (!pair.StartsWith(HostPrefix, StringComparison.OrdinalIgnoreCase))
            {
                kept.Add(pair);
            }
        }

        return kept.Count == 0 ? null : string.Join("; ", kept);
    }

    // Null for another attribute; what stands before the first equals sign is the name.
    private static string? AttributeValue(string part, string name)
    {
        var equals = part.IndexOf('=');
        return (equals < 0 ? part : part[..equals]).Trim().Equals(name, StringComparison.OrdinalIgnoreCase)
            ? equals < 0 ? "" : part[(equals + 1)..].Trim() : null;
    }
}
