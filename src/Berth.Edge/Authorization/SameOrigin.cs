namespace Berth.Edge;

/// <summary>Whether a request that carries our cookie was made by a page of the origin it goes to. Cookies alone do not say so.</summary>
/// <remarks>
/// SameSite=Lax keeps other sites out; other workspaces are the same site, and nearer. So Origin and fetch metadata decide.
/// </remarks>
internal static class SameOrigin
{
    /// <summary>Unsafe methods and upgrades: the request has to prove that it comes from the origin. Nothing said is a no.</summary>
    public static bool IsProven(IHeaderDictionary headers, string origin)
    {
        var site = headers["Sec-Fetch-Site"];
        var stated = headers.Origin;
        if (site.Count > 1 || stated.Count > 1 || (site.Count == 1 && site != "same-origin"))
        {
            return false;
        }

        return stated.Count == 1 ? stated == origin : site.Count == 1;
    }

    /// <summary>Upgrades: browsers always send Origin, and it has to be the host's own (cross-site WebSocket hijacking).</summary>
    public static bool IsUpgradeAllowed(IHeaderDictionary headers, string origin) => headers.Origin.Count == 1 && headers.Origin == origin;

    /// <summary>Safe methods: a page of another origin may send people here, but not pull our content into itself.</summary>
    public static bool IsReadAllowed(IHeaderDictionary headers)
    {
        var site = headers["Sec-Fetch-Site"];
        if (site.Count == 0 || site == "same-origin" || site == "none")
        {
            return true;
        }

        return site.Count == 1 && headers["Sec-Fetch-Mode"] == "navigate" && headers["Sec-Fetch-Dest"] == "document";
    }
}
