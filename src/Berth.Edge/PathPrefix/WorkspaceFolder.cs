using Berth.Resources;

namespace Berth.Edge;

/// <summary>Which workspace's folder a path on the shared host is in. Pure; asked once, when the canonical request is made.</summary>
/// <remarks>
/// The name and what is forwarded come out of the same canonical path, cut in two: there is no second reading that could differ, as where a
/// proxy decides by
/// the decoded path and forwards the raw one.
/// </remarks>
internal static class WorkspaceFolder
{
    /// <summary>Cuts a canonical path into the folder of a workspace and the path in it.</summary>
    /// <param name="path">From <see cref="CanonicalPath.Make"/>.</param>
    /// <param name="name">The workspace's name, valid as one; whether there is such a workspace is not asked.</param>
    /// <param name="rest">The path in the folder, with its slash; empty for the folder itself without one.</param>
    /// <returns>False when the path is in no workspace's folder.</returns>
    public static bool TrySplit(string path, out string name, out string rest)
    {
        name = rest = "";
        if (!path.StartsWith(WorkspaceUrls.PathRoot, StringComparison.Ordinal))
        {
            return false;
        }

        var end = path.IndexOf('/', WorkspaceUrls.PathRoot.Length);
        var candidate = end < 0 ? path[WorkspaceUrls.PathRoot.Length..] : path[WorkspaceUrls.PathRoot.Length..end];
        if (!WorkspaceNames.IsValid(candidate))
        {
            return false;
        }

        (name, rest) = (candidate, end < 0 ? "" : path[end..]);
        return true;
    }

    /// <summary>The request as one to the workspace whose folder it is in, or as it is where it is in none.</summary>
    /// <param name="request">On the shared host; its path is canonical, its host the shared one.</param>
    /// <param name="rawPath">The path as it was sent.</param>
    public static (CanonicalRequest? Request, string? Refusal) Enter(CanonicalRequest request, string rawPath)
    {
        if (!TrySplit(request.Path, out var name, out var rest) || rest.Length == 0)
        {
            return (request, null);
        }

        var prefix = WorkspaceUrls.PathRoot + name;

        // Browsers go by the letters that they send: cookies with a path, and scopes of service workers, of /w/%61 are not those of /w/a.
        return rawPath.StartsWith(prefix + "/", StringComparison.Ordinal)
            ? (request with { HostKind = HostKind.Workspace, Host = $"{name}.{request.Host}", Prefix = prefix, Path = rest }, null)
            : (null, "The name of a workspace in a path must not be encoded.");
    }
}
