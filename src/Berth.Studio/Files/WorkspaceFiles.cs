using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Berth.Studio.Files;

/// <summary>Listing, reading, making, moving and deleting. Writing content is <see cref="FileWriter"/>'s.</summary>
internal sealed class WorkspaceFiles(WorkspaceFolder workspace, InFlight inFlight)
{
    /// <summary>More entries than this make neither a readable list nor a quick page.</summary>
    public const int MaxEntries = 10_000;

    /// <summary>A recursive walk holds one descriptor a level.</summary>
    public const int MaxDepth = 256;

    /// <summary>What is in a folder.</summary>
    public FolderListing List(WorkspacePath path)
    {
        using var at = workspace.Locate(path, followLast: true);
        using var folder = at.OpenFolder();
        var entries = new List<FileEntry>();
        var truncated = false;
        foreach (var name in Location.NamesIn(folder))
        {
            if (inFlight.Contains(name))
            {
                continue;
            }

            if (entries.Count == MaxEntries)
            {
                truncated = true;
                break;
            }

            // Null: deleted between the two calls, or a name that is not UTF-8, which no request could say.
            if (Location.TryStat(folder, name, path) is { } stat)
            {
                entries.Add(Describe(path.Child(name), stat, stat.IsLink ? WorkspaceFolder.ReadLink(folder, name, path) : null));
            }
        }

        entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new FolderListing
        {
            Path = path.Value,
            Entries = entries,
            Truncated = truncated,
        };
    }

    /// <summary>One entry.</summary>
    public FileEntry Stat(WorkspacePath path)
    {
        using var at = workspace.Locate(path, followLast: false);
        var stat = at.Stat();
        return Describe(path, stat, stat.IsLink ? WorkspaceFolder.ReadLink(at.Folder, at.Name, path) : null);
    }

    /// <summary>Opens a regular file.</summary>
    public (SafeFileHandle File, FileStat Stat) OpenRead(WorkspacePath path)
    {
        using var at = workspace.Locate(path, followLast: true);
        if (at.Stat() is { IsFile: false })
        {
            // Looked at before opening: opening a device or a pipe can do things.
            throw FileProblems.NotAFile(path);
        }

        var file = at.Open(Libc.ORdonly);
        try
        {
            var stat = Location.StatOpen(file, path);
            return stat.IsFile ? (file, stat) : throw FileProblems.NotAFile(path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Makes a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="parents">Whether those above are made too, and one that is there already is fine.</param>
    public void CreateFolder(WorkspacePath path, bool parents)
    {
        if (path.IsRoot)
        {
            if (parents)
            {
                return;
            }

            throw FileProblems.Exists(path);
        }

        if (parents)
        {
            var above = WorkspacePath.Root;
            foreach (var name in path.Names)
            {
                above = above.Child(name);
                MakeOne(above, tolerant: true);
            }

            return;
        }

        MakeOne(path, tolerant: false);
    }

    /// <summary>Renames or moves; a link is moved itself.</summary>
    public void Rename(WorkspacePath from, WorkspacePath to, bool overwrite)
    {
        if (from.IsRoot || to.IsRoot)
        {
            throw FileProblems.IsRoot();
        }

        if (to.Value != from.Value && to.IsWithin(from))
        {
            throw FileProblems.BadRequest($"{from} cannot be moved into itself.", "Choose another folder.");
        }

        using var source = workspace.Locate(from, followLast: false);
        using var target = workspace.Locate(to, followLast: false);
        var stat = source.Stat();
        if (overwrite && target.TryStat() is { IsFolder: true })
        {
            // rename(2) would silently replace an empty folder.
            throw FileProblems.Exists(to);
        }

        Check(
            Libc.RenameAt2(source.Folder, source.Name, target.Folder, target.Name, overwrite ? 0 : Libc.RenameNoreplace),
            source,
            target,
            overwrite
        );
        Sync(target.Folder, to);
        if (stat.IsFolder || from.Value != to.Value)
        {
            Sync(source.Folder, from);
        }
    }

    /// <summary>Deletes; of a link, the link.</summary>
    public void Delete(WorkspacePath path, bool recursive)
    {
        if (path.IsRoot)
        {
            throw FileProblems.IsRoot();
        }

        using var at = workspace.Locate(path, followLast: false);
        if (!at.Stat().IsFolder)
        {
            Unlink(at.Folder, at.Name, 0, path);
        }
        else if (recursive)
        {
            DeleteTree(at.Folder, at.Name, path, 0);
        }
        else
        {
            Unlink(at.Folder, at.Name, Libc.AtRemovedir, path);
        }

        Sync(at.Folder, path);
    }

    /// <summary>
    /// Makes a change of names in a folder durable. A file system that cannot is not a reason to call a done change failed.
    /// </summary>
    internal static void Sync(SafeFileHandle pathOnlyFolder, WorkspacePath path)
    {
        using var at = new Location(path, pathOnlyFolder, ".", []);
        using var folder = at.OpenFolder();
        _ = Libc.FSync(folder);
    }

    private FileEntry Describe(WorkspacePath path, FileStat stat, string? target) =>
        new()
        {
            Name = path.Name,
            Path = path.Value,
            Type = stat.IsLink ? "link" : TypeOf(stat),
            Size = stat.Size,
            Modified = stat.Modified,
            Mode = Convert.ToString(stat.Permissions, 8).PadLeft(4, '0'),
            ETag = stat.IsFile ? stat.ETag : null,
            Target = target,
            TargetType = stat.IsLink ? TypeOfTarget(path) : null,
        };

    private string? TypeOfTarget(WorkspacePath path)
    {
        try
        {
            using var at = workspace.Locate(path, followLast: true);
            return at.TryStat() is { } stat ? TypeOf(stat) : null;
        }
        catch (Hosting.ProblemException)
        {
            // Leads out, loops or is not accessible: shown as a link that leads nowhere.
            return null;
        }
    }

    private static string TypeOf(FileStat stat) =>
        stat.IsFile ? "file"
        : stat.IsFolder ? "folder"
        : "other";

    private void MakeOne(WorkspacePath path, bool tolerant)
    {
        using var at = workspace.Locate(path, followLast: tolerant);
        if (Libc.MkdirAt(at.Folder, at.Name, 0x1FF) == 0)
        {
            Sync(at.Folder, path);
            return;
        }

        var errno = Marshal.GetLastPInvokeError();
        if (!(tolerant && errno == Libc.EExist && at.TryStat() is { IsFolder: true }))
        {
            throw FileProblems.FromErrno(errno, path);
        }
    }

    private static void Check(int result, Location source, Location target, bool overwrite)
    {
        if (result == 0)
        {
            return;
        }

        var errno = Marshal.GetLastPInvokeError();
        if (errno is Libc.EInval or Libc.ENosys && !overwrite)
        {
            // Some network file systems do not know RENAME_NOREPLACE: look first, and accept that this is not atomic there.
            if (target.TryStat() is not null)
            {
                throw FileProblems.Exists(target.Path);
            }

            errno = Libc.RenameAt(source.Folder, source.Name, target.Folder, target.Name) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }

        if (errno != 0)
        {
            throw FileProblems.FromErrno(errno, errno is Libc.EExist or Libc.ENotdir or Libc.EIsdir ? target.Path : source.Path);
        }
    }

    private static void DeleteTree(SafeFileHandle parent, string name, WorkspacePath path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw FileProblems.BadRequest($"{path} is more than {MaxDepth} folders deep.", "Use rm -r in the terminal.");
        }

        using (var at = new Location(path, parent, name, []))
        using (var folder = at.OpenFolder())
        {
            foreach (var child in Location.NamesIn(folder).ToList())
            {
                var childPath = path.Child(child);
                if (Location.TryStat(folder, child, childPath) is not { } stat)
                {
                    continue;
                }

                if (stat.IsFolder)
                {
                    DeleteTree(folder, child, childPath, depth + 1);
                }
                else
                {
                    Unlink(folder, child, 0, childPath);
                }
            }
        }

        Unlink(parent, name, Libc.AtRemovedir, path);
    }

    private static void Unlink(SafeFileHandle folder, string name, int flags, WorkspacePath path)
    {
        if (Libc.UnlinkAt(folder, name, flags) != 0)
        {
            throw FileProblems.FromErrno(Marshal.GetLastPInvokeError(), path);
        }
    }
}
