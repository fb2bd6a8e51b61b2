using System.Diagnostics.CodeAnalysis;

namespace Berth.Resources;

/// <summary>
/// Hosts and addresses of workspaces: one label below the workspace domain, with the scheme and the port of the edge's public origin. In
/// path-prefix mode
/// the domain is itself the one host of all workspaces, and a workspace is a folder on it.
/// </summary>
/// <param name="PublicOrigin">Origin of the edge: scheme, host and port if not the scheme's own, such as
/// <c>http://localhost:8080</c>.</param>
/// <param name="WorkspaceDomain">Domain of the workspaces, lower case and without a port, such as <c>localhost</c>.</param>
/// <param name="IsPathPrefix">Whether workspaces are folders of one host: <c>https://workspaces.example.dev/w/ws-abc/</c>. The default is a
/// host each.</param>
public sealed record WorkspaceUrls(Uri PublicOrigin, string WorkspaceDomain, bool IsPathPrefix = false)
{
    /// <summary>What paths of workspaces begin with in path-prefix mode.</summary>
    public const string PathRoot = "/w/";

    /// <summary>
    /// The host of a workspace, such as <c>ws-abc.localhost</c>; no port. In path-prefix mode no such host is served: the name then only
    /// stands for the
    /// workspace, where programs keep what is its own apart from others'.
    /// </summary>
    public string Host(string name) => $"{name}.{WorkspaceDomain}";

    /// <summary>The origin of a workspace as browsers write it: lower case, no default port, no slash at the end.</summary>
    public string Origin(string name)
    {
        var host = IsPathPrefix ? WorkspaceDomain : Host(name);
        return PublicOrigin.IsDefaultPort ? $"{PublicOrigin.Scheme}://{host}" : $"{PublicOrigin.Scheme}://{host}:{PublicOrigin.Port}";
    }

    /// <summary>
    /// The folder that a workspace is on its host, such as <c>/w/ws-abc</c>, without a slash at the end; empty where it has a host of its
    /// own.
    /// </summary>
    public string Prefix(string name) => IsPathPrefix ? PathRoot + name : "";

    /// <summary>
    /// Where people open a workspace, without a slash at the end: its origin and prefix. No two workspaces have the same.
    /// </summary>
    public string Url(string name) => Origin(name) + Prefix(name);

    /// <summary>Finds the name of the workspace in a canonical host (lower case, no port, no trailing dot).</summary>
    /// <returns>False when the host is not exactly one label below the domain, or that label is no workspace's name.</returns>
    public bool TryGetName(string host, [NotNullWhen(true)] out string? name)
    {
        ArgumentNullException.ThrowIfNull(host);
        name = null;
        if (host.Length <= WorkspaceDomain.Length + 1
            || !host.EndsWith(WorkspaceDomain, StringComparison.Ordinal)
            || host[^(WorkspaceDomain.Length + 1)] != '.')
        {
            return false;
        }

        var label = host[..^(WorkspaceDomain.Length + 1)];
        if (!WorkspaceNames.IsValid(label))
        {
            return false;
        }

        name = label;
        return true;
    }
}
