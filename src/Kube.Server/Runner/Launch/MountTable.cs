namespace Kube.Server.Runner.Launch;

/// <summary>Where the mount paths of a container are on this machine.</summary>
/// <remarks>
/// A plain process sees the machine's own file system, so paths that the pod's author wrote for the container's are rewritten: values that
/// are a mount path or lie below one, and the value part of options such as <c>--root=/workspace</c>.
/// </remarks>
internal sealed class MountTable(IReadOnlyDictionary<string, string> mounts)
{
    // Longest first: /workspace/cache may be a mount inside /workspace.
    private readonly (string Mount, string Folder)[] _mounts =
        [.. mounts.Select(m => (m.Key.TrimEnd('/'), m.Value)).Where(m => m.Item1.Length > 0).OrderByDescending(m => m.Item1.Length)];

    public static MountTable Empty { get; } = new(new Dictionary<string, string>());

    public string Rewrite(string value)
    {
        foreach (var (mount, folder) in _mounts)
        {
            if (value == mount)
            {
                return folder;
            }

            if (value.StartsWith(mount, StringComparison.Ordinal) && value[mount.Length] == '/')
            {
                return folder + value[mount.Length..];
            }
        }

        return value;
    }

    public string RewriteArgument(string argument)
    {
        var at = argument.StartsWith('-') ? argument.IndexOf('=', StringComparison.Ordinal) : -1;
        return at < 0 ? Rewrite(argument) : argument[..(at + 1)] + Rewrite(argument[(at + 1)..]);
    }
}
