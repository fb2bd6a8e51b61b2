using System.Text;

namespace Berth.Edge;

/// <summary>Addresses in answers: those below the API's base become ours, others do not.</summary>
internal static class UpstreamRedirects
{
    /// <summary>Our path for an address in an answer; null when it is not below the base.</summary>
    public static string? Rewrite(UpstreamCall call, string location)
    {
        var settings = call.Settings;
        if (location.Length > 8192 || location.Any(c => c is < ' ' or (char)0x7f or '\\')
            || !Uri.TryCreate(call.Address, UriKind.Absolute, out var here) || !Uri.TryCreate(here, location, out var target)
            || target.GetLeftPart(UriPartial.Authority) != new Uri(settings.Origin).GetLeftPart(UriPartial.Authority)
            || target.UserInfo.Length > 0)
        {
            return null;
        }

        var path = target.AbsolutePath;
        if (CanonicalPath.Make(path, PathStrictness.Workspace) is null || !path.StartsWith(settings.BasePath, StringComparison.Ordinal)
            || (path.Length > settings.BasePath.Length && path[settings.BasePath.Length] != '/'))
        {
            return null;
        }

        return settings.ProxyPath + path[settings.BasePath.Length..] + target.Query + target.Fragment;
    }

    /// <summary>
    /// A Link header (RFC 8288) with the addresses below the base made ours, so that paging works; others stay as they are, as they are
    /// only words until somebody follows them.
    /// </summary>
    public static string RewriteLinks(UpstreamCall call, string header)
    {
        var result = new StringBuilder(header.Length);
        var at = 0;
        while (header.IndexOf('<', at) is >= 0 and var open && header.IndexOf('>', open) is >= 0 and var close)
        {
            var address = header[(open + 1)..close];
            result.Append(header, at, open + 1 - at).Append(Rewrite(call, address) ?? address).Append('>');
            at = close + 1;
        }

        return result.Append(header, at, header.Length - at).ToString();
    }
}
