using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Berth.Studio.Files;

/// <summary>A name in an open folder: what <see cref="WorkspaceFolder.Locate"/> found. The name need not exist.</summary>
/// <remarks>
/// Every call on it says O_NOFOLLOW or works on the link itself, so that a name exchanged for a link in between is refused.
/// </remarks>
internal sealed class Location(WorkspacePath path, SafeFileHandle folder, string name, List<SafeFileHandle> owned) : IDisposable
{
    /// <summary>All of struct statx's basic fields.</summary>
    private const uint BasicStats = 0x7ff;

    /// <summary>The path as it was asked for; messages name it.</summary>
    public WorkspacePath Path => path;

    /// <summary>The folder that the last name is in.</summary>
    public SafeFileHandle Folder => folder;

    /// <summary>The last name; "." when the path is a folder that no name stands for (the root, or a link's target such as "..").</summary>
    public string Name => name;

    /// <summary>Frees the descriptors of the walk.</summary>
    public void Dispose() => owned.ForEach(h => h.Dispose());

    /// <summary>What is there, or null.</summary>
    public FileStat? TryStat() => TryStat(folder, name, path);

    /// <summary>What is there.</summary>
    public FileStat Stat() => TryStat() ?? throw FileProblems.NotFound(path);

    /// <summary>Opens it; never blocks on a pipe, never follows a link.</summary>
    public SafeFileHandle Open(int flags, uint mode = 0)
    {
        var fd = Libc.OpenAt(folder, name, flags | Libc.ONofollow | Libc.OCloexec | Libc.ONonblock, mode);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw FileProblems.FromErrno(Marshal.GetLastPInvokeError(), path);
    }

    /// <summary>Opens it as a folder.</summary>
    public SafeFileHandle OpenFolder() => Open(Libc.ODirectory);

    /// <summary>What is at a name in a folder (the link itself, if it is one), or null.</summary>
    public static FileStat? TryStat(SafeFileHandle folder, string name, WorkspacePath path)
    {
        if (Libc.StatX(folder, name, Libc.AtSymlinkNofollow, BasicStats, out var buffer) == 0)
        {
            return FileStat.From(buffer);
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Libc.ENoent ? null : throw FileProblems.FromErrno(errno, path);
    }

    /// <summary>What an open descriptor is.</summary>
    public static FileStat StatOpen(SafeFileHandle file, WorkspacePath path) =>
        Libc.StatX(file, "", Libc.AtEmptyPath, BasicStats, out var buffer) == 0
            ? FileStat.From(buffer)
            : throw FileProblems.FromErrno(Marshal.GetLastPInvokeError(), path);

    /// <summary>
    /// The names in an open folder, as they come. The system's own view of the descriptor is read, so no path is walked again.
    /// </summary>
    public static IEnumerable<string> NamesIn(SafeFileHandle openFolder)
    {
        var view = $"/proc/self/fd/{openFolder.DangerousGetHandle()}";
        var options = new EnumerationOptions
        {
            AttributesToSkip = 0,
            RecurseSubdirectories = false,
            IgnoreInaccessible = false,
        };
        return Directory.EnumerateFileSystemEntries(view, "*", options).Select(e => System.IO.Path.GetFileName(e));
    }
}
