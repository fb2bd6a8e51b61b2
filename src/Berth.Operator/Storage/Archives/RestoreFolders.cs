using System.Runtime.Versioning;

namespace Berth.Operator.Archives;

/// <summary>
/// The folders and marks of a restore at the root of a volume. Each step is one rename or can be done again, so a restore that was
/// killed anywhere goes on where it was:
/// <code>
///   .berth-restore-ID/            unpacked so far; without a mark it is thrown away and begun again
///   .berth-restore-ID.verified    all is unpacked and compared: the old content is moved out, entry by entry
///   .berth-restore-ID.emptied     the old content is out: the new one is moved in, entry by entry
///   .berth-before-restore-ID/     the old content
///   .berth-before-restore-ID/.berth-complete   done
/// </code>
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class RestoreFolders
{
    /// <summary>What begins so at the root of a volume is Berth's.</summary>
    internal const string Prefix = ".berth-";

    private const string BeforePrefix = ".berth-before-restore-";
    private const string CompleteName = ".berth-complete";

    private readonly string _root;
    private readonly string _verified;
    private readonly string _emptied;
    private readonly string _before;

    internal RestoreFolders(string root, string id)
    {
        _root = root;
        Staging = Path.Combine(root, $".berth-restore-{id}");
        _verified = Staging + ".verified";
        _emptied = Staging + ".emptied";
        _before = Path.Combine(root, BeforePrefix + id);
    }

    /// <summary>Where the archive is unpacked.</summary>
    internal string Staging { get; }

    /// <summary>Name of the folder with what was there before.</summary>
    internal string BeforeName => Path.GetFileName(_before);

    /// <summary>It was done in an earlier run.</summary>
    internal bool IsComplete => IsRealFolder(_before) && IsRealFile(Path.Combine(_before, CompleteName));

    /// <summary>It is unpacked and compared, and only to be put in place.</summary>
    internal bool IsUnpacked => IsRealFile(_verified) || IsRealFile(_emptied);

    /// <summary>Takes away what a run left that was ended between its last two steps.</summary>
    internal void Tidy() => File.Delete(_emptied);

    /// <summary>Makes an empty folder to unpack into, and throws away what an earlier run left half done.</summary>
    internal void Begin()
    {
        Remove(Staging);
        Directory.CreateDirectory(Staging, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Tells that all is unpacked and compared; what an earlier restore kept goes now, to make room.</summary>
    internal void MarkUnpacked()
    {
        Libc.SyncFileSystem(_root);
        foreach (var old in Directory.EnumerateFileSystemEntries(_root, BeforePrefix + "*").Where(p => p != _before).ToList())
        {
            Remove(old);
        }

        Mark(_verified);
    }

    /// <summary>Exchanges the content of the volume for what was unpacked.</summary>
    internal void Swap()
    {
        if (!IsRealFile(_emptied))
        {
            if (!IsRealFolder(_before))
            {
                Remove(_before);
                Directory.CreateDirectory(_before, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            MoveAll(_root, _before, name => !VolumeTree.IsApart(name));
            Libc.SyncFileSystem(_root);
            if (IsRealFile(_verified))
            {
                Libc.Rename(_verified, _emptied);
            }
        }

        if (IsRealFolder(Staging))
        {
            MoveAll(Staging, _root, _ => true);
            Remove(Staging);
        }

        Libc.SyncFileSystem(_root);
        Mark(Path.Combine(_before, CompleteName));
        File.Delete(_emptied);
    }

    private void Mark(string path)
    {
        Remove(path);
        File.WriteAllBytes(path, []);
        Libc.SyncFileSystem(_root);
    }

    private static void MoveAll(string from, string to, Func<string, bool> wanted)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(from).ToList())
        {
            var name = Path.GetFileName(path);
            if (wanted(name))
            {
                Move(path, Path.Combine(to, name));
            }
        }
    }

    // A folder that its owner may not write to cannot be moved elsewhere, since that changes its "..".
    private static void Move(string from, string to)
    {
        var folder = new DirectoryInfo(from);
        if (folder is { Exists: true, LinkTarget: null } && (folder.UnixFileMode & UnixFileMode.UserWrite) == 0)
        {
            var (mode, modified) = (folder.UnixFileMode, folder.LastWriteTimeUtc);
            File.SetUnixFileMode(from, mode | UnixFileMode.UserWrite);
            Libc.Rename(from, to);
            File.SetUnixFileMode(to, mode);
            Directory.SetLastWriteTimeUtc(to, modified);
        }
        else
        {
            Libc.Rename(from, to);
        }
    }

    /// <summary>Removes whatever is there, without following a link.</summary>
    private static void Remove(string path)
    {
        var folder = new DirectoryInfo(path);
        if (folder is not { Exists: true, LinkTarget: null })
        {
            File.Delete(path);
            return;
        }

        MakeRemovable(folder);
        folder.Delete(recursive: true);
    }

    private static void MakeRemovable(DirectoryInfo folder)
    {
        const UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        if ((folder.UnixFileMode & all) != all)
        {
            folder.UnixFileMode |= all;
        }

        foreach (var inner in folder.EnumerateDirectories().Where(d => d.LinkTarget is null))
        {
            MakeRemovable(inner);
        }
    }

    private static bool IsRealFolder(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null };

    private static bool IsRealFile(string path) => new FileInfo(path) is { Exists: true, LinkTarget: null };
}
