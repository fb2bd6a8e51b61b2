using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Berth.Studio.Files;

/// <summary>
/// The workspace's folder, and the only way to what is in it. Every access walks the path from the root's descriptor, one name at a time,
/// each opened with O_NOFOLLOW below the one before; symbolic links are read and walked here, never by the kernel:
/// <code>
///   root fd --openat(NOFOLLOW)--> fd of "a" --readlinkat--> "b" is a link to "../c" --> walk on: "..", "c"
/// </code>
/// So a link cannot lead out, whatever is exchanged while the walk goes on: ".." goes back on the stack of open descriptors and stops at
/// the root, an absolute target counts only when it lies below the root, and the last name is handed out together with its parent's
/// descriptor.
/// </summary>
/// <remarks>
/// It works as the kernel's openat2(RESOLVE_BENEATH) does, which old kernels lack and some sandboxes deny. A folder that is moved out of
/// the workspace by its owner while a request is in it is the one thing that neither catches.
/// </remarks>
internal sealed class WorkspaceFolder : IDisposable
{
    /// <summary>As the kernel: more links than this in one path is a loop.</summary>
    private const int MaxLinks = 40;

    private readonly SafeFileHandle _root;
    private readonly string _rootPath;

    /// <summary>Opens the folder.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public WorkspaceFolder(string root)
    {
        _rootPath = root.TrimEnd('/');
        var fd = Libc.Open(root, Libc.OPath | Libc.ODirectory | Libc.OCloexec, 0);
        if (fd < 0)
        {
            throw new IOException($"The folder {root} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        _root = new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    /// <summary>Walks to the parent of the last name.</summary>
    /// <param name="path">The path.</param>
    /// <param name="followLast">Whether a link at the end is followed too; then the last name is no link, or was none a moment ago.</param>
    public Location Locate(WorkspacePath path, bool followLast)
    {
        var opened = new List<SafeFileHandle>();
        var pending = new Stack<string>(path.Names.Reverse());
        var links = 0;
        try
        {
            while (pending.TryPop(out var name))
            {
                var at = opened.Count == 0 ? _root : opened[^1];
                if (name == "..")
                {
                    // Only a link's target can bring this: the path itself has none.
                    if (opened.Count == 0)
                    {
                        throw FileProblems.Outside(path);
                    }

                    opened[^1].Dispose();
                    opened.RemoveAt(opened.Count - 1);
                    continue;
                }

                var last = pending.Count == 0;
                if (!(last && !followLast) && ReadLink(at, name, path) is { } target)
                {
                    if (++links > MaxLinks)
                    {
                        throw FileProblems.FromErrno(Libc.ELoop, path);
                    }

                    Push(target, path, pending, opened);
                    continue;
                }

                if (last)
                {
                    return new Location(path, at, name, opened);
                }

                var fd = Libc.OpenAt(at, name, Libc.OPath | Libc.ODirectory | Libc.ONofollow | Libc.OCloexec, 0);
                if (fd < 0)
                {
                    throw FileProblems.FromErrno(Marshal.GetLastPInvokeError(), path);
                }

                opened.Add(new SafeFileHandle(fd, ownsHandle: true));
            }

            return new Location(path, opened.Count == 0 ? _root : opened[^1], ".", opened);
        }
        catch
        {
            opened.ForEach(h => h.Dispose());
            throw;
        }
    }

    /// <summary>The target of a link, as text, or null when it is none.</summary>
    internal static string? ReadLink(SafeFileHandle folder, string name, WorkspacePath path)
    {
        Span<byte> buffer = stackalloc byte[WorkspacePath.MaxPathBytes + 1];
        var length = Libc.ReadLinkAt(folder, name, buffer, buffer.Length);
        if (length >= 0)
        {
            return Encoding.UTF8.GetString(buffer[..(int)length]);
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Libc.EInval or Libc.ENoent ? null : throw FileProblems.FromErrno(errno, path);
    }

    private void Push(string target, WorkspacePath path, Stack<string> pending, List<SafeFileHandle> opened)
    {
        if (target.StartsWith('/'))
        {
            if (target != _rootPath && !target.StartsWith(_rootPath + "/", StringComparison.Ordinal))
            {
                throw FileProblems.Outside(path);
            }

            opened.ForEach(h => h.Dispose());
            opened.Clear();
            target = target[_rootPath.Length..];
        }

        foreach (var name in target.Split('/').Reverse())
        {
            if (name is not ("" or "."))
            {
                pending.Push(name);
            }
        }
    }
}
