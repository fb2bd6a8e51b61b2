namespace Berth.Resources;

/// <summary>
/// Names of the edge's cookies that others have to know: a proxy passes them on to the browser from the edge's answer by name only.
/// </summary>
public static class EdgeCookies
{
    /// <summary>Name, without prefix, of the session on a workspace's host.</summary>
    public const string Workspace = "berth-ws";

    /// <summary>
    /// The session on a workspace's host as browsers see it: with the prefix <c>__Host-</c> (RFC 6265bis, 4.1.3.2) over https, without it
    /// over http, where a browser would drop such a cookie.
    /// </summary>
    /// <param name="isHttps">Whether the edge's public origin is https.</param>
    public static string WorkspaceSession(bool isHttps) => isHttps ? "__Host-" + Workspace : Workspace;
}
