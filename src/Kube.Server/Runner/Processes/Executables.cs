namespace Kube.Server.Runner.Processes;

/// <summary>Finds a program as execvp(3) would, but in the PATH of the container and not of the host.</summary>
internal static class Executables
{
    /// <exception cref="SpawnException">There is none, or it is not executable.</exception>
    public static string Find(string name, string? path, string workingDirectory)
    {
        if (name.Length == 0)
        {
            throw new SpawnException("the command is empty", 127);
        }

        if (name.Contains('/', StringComparison.Ordinal))
        {
            return Check(Path.Combine(workingDirectory, name), name) ?? throw NotFound(name, null);
        }

        var refused = false;
        foreach (var folder in (path ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            var candidate = Path.Combine(folder, name);
            if (File.Exists(candidate))
            {
                if (IsExecutable(candidate))
                {
                    return candidate;
                }

                refused = true;
            }
        }

        throw refused ? new SpawnException($"exec: \"{name}\": permission denied", 126) : NotFound(name, path);
    }

    private static string? Check(string candidate, string name)
    {
        if (!File.Exists(candidate))
        {
            return null;
        }

        return IsExecutable(candidate) ? candidate : throw new SpawnException($"exec: \"{name}\": permission denied", 126);
    }

    private static bool IsExecutable(string file) => OperatingSystem.IsWindows()
        || (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;

    private static SpawnException NotFound(string name, string? path) => new(
        path is null ? $"exec: \"{name}\": no such file or directory"
            : $"exec: \"{name}\": executable file not found in $PATH ({path})", 127);
}
