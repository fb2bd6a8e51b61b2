using System.Runtime.Versioning;

namespace Berth.Operator.Archives;

/// <summary>
/// Unpacks into a folder of its own. Nothing is written through a link, whoever made it: each parent is looked at, and each entry is new.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class FolderSink(string root) : IArchiveSink
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly byte[] _buffer = new byte[128 * 1024];
    private string? _lastParent;

    public void Folder(string path)
    {
        var full = Free(path);
        Directory.CreateDirectory(full, FolderMode);
    }

    public void File(string path, Stream content, long length)
    {
        using var file = new FileStream(Free(path), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        while (content.ReadAtLeast(_buffer, _buffer.Length, throwOnEndOfStream: false) is > 0 and var read)
        {
            var part = _buffer.AsSpan(0, read);
            if (part.ContainsAnyExcept((byte)0))
            {
                file.Write(part);
            }
            else
            {
                // Holes stay holes: the image of a disk may be far larger than the volume that it lies on.
                file.Seek(read, SeekOrigin.Current);
            }
        }

        file.SetLength(length);
    }

    public void Link(string path, string target)
    {
        if (target.Length == 0 || target.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArchiveException($"The archive is refused: the link '{path}' leads nowhere.");
        }

        System.IO.File.CreateSymbolicLink(Free(path), target);
    }

    public void HardLink(string path, string existing)
    {
        CheckParents(existing);
        var source = new FileInfo(Path.Combine(root, existing));
        if (!source.Exists || source.LinkTarget is not null)
        {
            throw new ArchiveException($"The archive is refused: '{path}' is another name of '{existing}', which is no file before it.");
        }

        Libc.HardLink(source.FullName, Free(path));
    }

    /// <summary>Sets permissions and times, once all is there.</summary>
    internal void Finish(IEnumerable<ArchiveEntry> entries)
    {
        var folders = new Stack<ArchiveEntry>();
        foreach (var entry in entries)
        {
            if (entry.Type == ArchiveEntry.Folder)
            {
                folders.Push(entry);
            }
            else if (entry.Type == ArchiveEntry.File)
            {
                Set(entry);
            }
        }

        // From the inside out: what is written into a folder changes its time, and one without the right to write takes nothing more.
        foreach (var folder in folders)
        {
            Set(folder);
        }
    }

    private void Set(ArchiveEntry entry)
    {
        var path = Path.Combine(root, entry.Path);
        if (entry.Modified is { } modified)
        {
            if (entry.Type == ArchiveEntry.Folder)
            {
                Directory.SetLastWriteTimeUtc(path, modified.UtcDateTime);
            }
            else
            {
                System.IO.File.SetLastWriteTimeUtc(path, modified.UtcDateTime);
            }
        }

        System.IO.File.SetUnixFileMode(path, (UnixFileMode)(Convert.ToInt32(entry.Mode ?? "0600", 8) & 0xfff));
    }

    private string Free(string path)
    {
        CheckParents(path);
        var full = Path.Combine(root, path);
        return Path.Exists(full) || new FileInfo(full).LinkTarget is not null
            ? throw new ArchiveException($"The archive is refused: '{path}' is in it twice.")
            : full;
    }

    private void CheckParents(string path)
    {
        var slash = path.LastIndexOf('/');
        var parent = slash < 0 ? "" : path[..slash];
        if (parent.Length == 0 || parent == _lastParent)
        {
            return;
        }

        for (var at = parent.IndexOf('/', StringComparison.Ordinal); ; at = parent.IndexOf('/', at + 1))
        {
            var part = new DirectoryInfo(Path.Combine(root, at < 0 ? parent : parent[..at]));
            if (!part.Exists || part.LinkTarget is not null)
            {
                throw new ArchiveException($"The archive is refused: '{path}' does not lie in a folder of the archive.");
            }

            if (at < 0)
            {
                break;
            }
        }

        _lastParent = parent;
    }
}
