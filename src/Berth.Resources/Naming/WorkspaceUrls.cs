using System.Diagnostics.CodeAnalysis;

namespace Berth.Resources;

/// <summary>
/// Hosts and origins of workspaces: one label below the workspace domain, with the scheme and the port of the edge's public origin.
/// </summary>
/// <param name="PublicOrigin">Origin of the edge: scheme, host and port if not the scheme's own, such as
/// <c>http://localhost:8080</c>.</param>
/// <param name="WorkspaceDomain">Domain of the workspaces, lower case and without a port, such as <c>localhost</c>.</param>
public sealed record WorkspaceUrls(Uri PublicOrigin, string WorkspaceDomain)
{
    /// <summary>The host of a workspace, such as <c>ws-abc.localhost</c>; no port.</summary>
    public string Host(string name) => $"{name}.{WorkspaceDomain}";

    /// <summary>The origin of a workspace as browsers write it: lower case, no default port, no slash at the end.</summary>
    public string Origin(string name) =>
        PublicOrigin.IsDefaultPort ? $"{PublicOrigin.Scheme}://{Host(name)}" : $"{PublicOrigin.Scheme}://{Host(name)}:{PublicOrigin.Port}";

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
