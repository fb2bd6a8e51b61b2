namespace Kube.Server.Runner.Volumes;

/// <summary>Paths from outside that must stay inside a folder.</summary>
internal static class SafePath
{
    /// <summary>
    /// The folder or file below <paramref name="root"/>, or null when the path is absolute, climbs, or goes through a symbolic link.
    /// </summary>
    public static string? Below(string root, string path)
    {
        if (path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        var current = root;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                return null;
            }

            if (part == ".")
            {
                continue;
            }

            current = Path.Combine(current, part);
            // What lives in the volume is a stranger's: a link there could lead anywhere.
            if (new FileInfo(current).LinkTarget is not null)
            {
                return null;
            }
        }

        return current;
    }
}
