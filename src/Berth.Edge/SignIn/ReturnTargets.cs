using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// Where a person may be sent after signing in: a path of the edge, or the host of a workspace that exists. Everything else becomes
/// <c>/</c>.
/// </summary>
/// <remarks>
/// A target is taken apart and written anew from its canonical parts; what is sent to the browser is never the text that came in.
/// </remarks>
internal sealed class ReturnTargets(EdgeSettings settings, IWorkspaceDirectory directory)
{
    /// <summary>Longest target that is kept; it travels in a cookie and a ticket of at most 4 KiB.</summary>
    public const int MaximumLength = 1500;

    private const string Fallback = "/";

    /// <summary>A path of the edge origin, or the full URL of a workspace host that the directory knows.</summary>
    public string Clean(string? target)
    {
        if (target is null || target.Length > MaximumLength)
        {
            return Fallback;
        }

        var path = target.StartsWith(settings.PublicOrigin + "/", StringComparison.Ordinal)
            ? target[settings.PublicOrigin.Length..] : target;
        if (path.StartsWith('/'))
        {
            return CleanPath(path, PathStrictness.Strict) ?? Fallback;
        }

        return CleanWorkspaceUrl(target) ?? Fallback;
    }

    /// <summary>Path and query on a workspace's host; <c>/</c> for anything else.</summary>
    public static string CleanWorkspacePath(string? target) => target is { Length: <= MaximumLength }
        && CleanPath(target, PathStrictness.Workspace) is { } path && !path.StartsWith("/.berth/", StringComparison.Ordinal)
        ? path
        : Fallback;

    private static string? CleanPath(string target, PathStrictness strictness)
    {
        var mark = target.IndexOf('?');
        var path = CanonicalPath.Make(mark < 0 ? target : target[..mark], strictness);
        var query = mark < 0 ? "" : target[mark..];

        // Browsers read "//host" and "/\host" as another host; a colon or at sign is harmless behind the first slash.
        return path is null || path.StartsWith("//", StringComparison.Ordinal) || !CanonicalPath.IsQuery(query) || query.Contains('\\')
            ? null
            : path + query;
    }

    private string? CleanWorkspaceUrl(string target)
    {
        var prefix = settings.Scheme + "://";
        if (!target.StartsWith(prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var slash = target.IndexOf('/', prefix.Length);
        var authority = slash < 0 ? target[prefix.Length..] : target[prefix.Length..slash];
        if (!authority.EndsWith(settings.PortSuffix, StringComparison.Ordinal))
        {
            return null;
        }

        var host = authority[..^settings.PortSuffix.Length];
        if (settings.IsPathPrefix)
        {
            return host == settings.WorkspaceDomain && slash >= 0 ? CleanFolderPath(target[slash..]) : null;
        }

        if (HostNames.Canonicalise(host) != host || !HostNames.IsOneLabelBelow(host, settings.WorkspaceDomain, out _)
            || !directory.TryFindByHost(host, out _))
        {
            return null;
        }

        return settings.WorkspaceOrigin(host) + CleanWorkspacePath(slash < 0 ? "/" : target[slash..]);
    }

    private string? CleanFolderPath(string target) =>
        CleanPath(target, PathStrictness.Workspace) is { } path && WorkspaceFolder.TrySplit(path.Split('?')[0], out var name, out var rest)
            && rest.Length > 0 && $"{name}.{settings.WorkspaceDomain}" is var host && directory.TryFindByHost(host, out _)
            ? settings.WorkspaceAddress(host) + CleanWorkspacePath(path[(WorkspaceUrls.PathRoot.Length + name.Length)..])
            : null;
}
