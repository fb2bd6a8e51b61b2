using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// Workspaces as folders of one host, <c>WorkspaceDomain/w/NAME/</c>, for installations without wildcard DNS. See docs/path-prefix.md:
/// browsers do not
/// keep workspaces apart in this mode.
/// </summary>
public sealed record PathPrefixOptions
{
    /// <summary>
    /// Whether workspaces are folders of the host <see cref="EdgeOptions.WorkspaceDomain"/>. The default is false: a host each, which
    /// browsers keep apart.
    /// The operator has to be told the same (<c>Berth:Operator:PathPrefix</c>).
    /// </summary>
    public bool Enabled { get; init; }

    /// <summary>
    /// Whether people may open workspaces of others, shared ones and as administrators. The default is false: a page of such a workspace
    /// can do in the
    /// visitor's own workspaces, which have the same origin, whatever the visitor can.
    /// </summary>
    public bool AllowOthers { get; init; }
}

/// <summary>Addresses by the options.</summary>
internal static class WorkspaceUrlsOfOptions
{
    /// <summary>The addresses of workspaces.</summary>
    public static WorkspaceUrls ToUrls(this EdgeOptions edge) =>
        new(new Uri(edge.PublicOrigin), edge.WorkspaceDomain, edge.PathPrefix.Enabled);
}
