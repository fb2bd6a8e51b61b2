using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Berth.Operator.Archives;

/// <summary>
/// Walks a volume without ever leaving it. Whoever works in the workspace may move and exchange things meanwhile: each folder is opened
/// relative to the one above, and no link is followed, so that a folder exchanged for a link to somewhere else leads nowhere.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class VolumeTree
{
    // Each level holds a descriptor open; 1024 is what a process may have.
    private const int MaxDepth = 500;
    private const int UnreadNames = 5;

    private readonly Action<ArchiveEntry, SafeFileHandle?> _visit;
    private readonly Dictionary<(uint, uint, ulong), string> _linked = [];
    private readonly CancellationToken _cancellationToken;

    private VolumeTree(Action<ArchiveEntry, SafeFileHandle?> visit, CancellationToken cancellationToken)
    {
        _visit = visit;
        _cancellationToken = cancellationToken;
    }

    internal long Entries { get; private set; }

    internal long Skipped { get; private set; }

    internal List<string> Unread { get; } = [];

    internal long UnreadCount { get; private set; }

    /// <summary>Walks in the order of names, folders before what is in them.</summary>
    /// <param name="root">The volume.</param>
    /// <param name="visit">Gets each entry, and for files the open file.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    internal static VolumeTree Walk(
        string root, Action<ArchiveEntry, SafeFileHandle?> visit, CancellationToken cancellationToken)
    {
        var tree = new VolumeTree(visit, cancellationToken);
        using var handle = Libc.OpenRoot(root);
        tree.Folder(handle, "", 0);
        return tree;
    }

    /// <summary>What stands at the root of a volume and is no part of it: Berth's own, and a file system's lost property.</summary>
    internal static bool IsApart(string name) => name == "lost+found" || name.StartsWith(RestoreFolders.Prefix, StringComparison.Ordinal);

    private void Folder(SafeFileHandle folder, string path, int depth)
    {
        var names = Directory.EnumerateFileSystemEntries($"/proc/self/fd/{folder.DangerousGetHandle()}")
            .Select(p => Path.GetFileName(p)).ToList();
        names.Sort(StringComparer.Ordinal);
        foreach (var name in names)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            if (depth == 0 && IsApart(name))
            {
                continue;
            }

            var full = path.Length == 0 ? name : $"{path}/{name}";
            try
            {
                One(folder, name, full, depth);
            }
            catch (IOException e) when (e.HResult is Libc.EAcces or Libc.EPerm)
            {
                Leave(full, e.Message);
            }
            catch (UnauthorizedAccessException e)
            {
                Leave(full, e.Message);
            }
        }
    }

    private void One(SafeFileHandle folder, string name, string full, int depth)
    {
        if (Libc.Stat(folder, name) is not { } found)
        {
            // Gone meanwhile, or its name is not UTF-8 and cannot be said here.
            if (name.Contains('\uFFFD', StringComparison.Ordinal))
            {
                Leave(full, "its name is not valid UTF-8");
            }

            return;
        }

        var entry = new ArchiveEntry { Path = full, Mode = Octal(found.Mode), Modified = found.Modified };
        if (found.IsFolder)
        {
            if (depth >= MaxDepth)
            {
                Leave(full, $"it lies more than {MaxDepth} folders deep");
                return;
            }

            using var inner = Libc.OpenFolder(folder, name);
            Visit(entry with { Type = ArchiveEntry.Folder }, null);
            Folder(inner, full, depth + 1);
        }
        else if (found.IsLink)
        {
            Visit(new ArchiveEntry { Path = full, Type = ArchiveEntry.Link, Target = Libc.ReadLink(folder, name) }, null);
        }
        else if (found.IsFile)
        {
            using var file = Libc.OpenFile(folder, name);
            var opened = Libc.Stat(file);
            if (!opened.IsFile)
            {
                Skipped++;
            }
            else if (opened.Links > 1 && _linked.TryGetValue(IdOf(opened), out var first))
            {
                Visit(new ArchiveEntry { Path = full, Type = ArchiveEntry.HardLink, Target = first }, null);
            }
            else
            {
                Visit(new ArchiveEntry
                {
                    Path = full,
                    Type = ArchiveEntry.File,
                    Mode = Octal(opened.Mode),
                    Modified = opened.Modified,
                    Size = (long)opened.Size,
                }, file);
                if (opened.Links > 1)
                {
                    _linked[IdOf(opened)] = full;
                }
            }
        }
        else
        {
            Skipped++;
        }
    }

    private void Visit(ArchiveEntry entry, SafeFileHandle? file)
    {
        _visit(entry, file);
        Entries++;
    }

    private void Leave(string path, string why)
    {
        UnreadCount++;
        if (Unread.Count < UnreadNames)
        {
            Unread.Add($"{path}: {why}");
        }
    }

    private static (uint, uint, ulong) IdOf(in StatX file) => (file.DeviceMajor, file.DeviceMinor, file.Inode);

    private static string Octal(int mode) => "0" + Convert.ToString(mode, 8).PadLeft(3, '0');
}
