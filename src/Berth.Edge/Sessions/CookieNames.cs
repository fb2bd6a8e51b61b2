using Berth.Resources;

namespace Berth.Edge;

/// <summary>Every cookie that the edge ever sets: the list that reading, stripping and deleting go by.</summary>
/// <param name="isHttps">Whether browsers use https.</param>
/// <param name="isPathPrefix">Whether workspaces are folders: their cookies then have the folder as their path, which a __Host- cookie
/// cannot.</param>
internal sealed class CookieNames(bool isHttps, bool isPathPrefix = false)
{
    private const string SessionName = "berth";
    private const string WorkspaceName = EdgeCookies.Workspace;
    private const string HopName = "berth-hop";
    private const string FlowName = "berth-flow-";

    // __Host- needs Secure; over http (loopback only) a browser would drop such a cookie.
    private readonly string _prefix = isHttps ? "__Host-" : "";
    private readonly string _workspacePrefix = !isHttps ? "" : isPathPrefix ? "__Secure-" : "__Host-";

    /// <summary>Session on the edge origin.</summary>
    public string Session => _prefix + SessionName;

    /// <summary>Session on a workspace host.</summary>
    public string Workspace => _workspacePrefix + WorkspaceName;

    /// <summary>Binds a ticket to the browser that asked for it.</summary>
    public string Hop => _workspacePrefix + HopName;

    /// <summary>First part of the name of a flow's cookie.</summary>
    public string FlowPrefix => _prefix + FlowName;

    /// <summary>Whether a cookie's name is one of ours, in any spelling, prefixed or not: never passed on in either direction.</summary>
    public static bool IsOurs(ReadOnlySpan<char> name)
    {
        name = name.Trim();
        foreach (var prefix in (string[])["__Host-", "__Secure-"])
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                name = name[prefix.Length..];
                break;
            }
        }

        return name.Equals(SessionName, StringComparison.OrdinalIgnoreCase)
            || name.Equals(WorkspaceName, StringComparison.OrdinalIgnoreCase)
            || name.Equals(HopName, StringComparison.OrdinalIgnoreCase)
            || name.StartsWith(FlowName, StringComparison.OrdinalIgnoreCase);
    }
}
