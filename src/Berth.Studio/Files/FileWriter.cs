using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Berth.Studio.Files;

/// <summary>Names of temporary files that are being written: lists do not show them.</summary>
internal sealed class InFlight
{
    private readonly ConcurrentDictionary<string, byte> _names = new(StringComparer.Ordinal);

    /// <summary>Whether a save of this program is writing a file of that name now.</summary>
    public bool Contains(string name) => _names.ContainsKey(name);

    /// <summary>A fresh name.</summary>
    public string Take()
    {
        var name = ".studio-saving-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        _names[name] = 0;
        return name;
    }

    /// <summary>The file has its own name now, or is gone.</summary>
    public void Release(string name) => _names.TryRemove(name, out _);
}

/// <summary>Which version of a file a save may replace.</summary>
/// <param name="Create">If-None-Match: * - the file must not exist.</param>
/// <param name="Tags">If-Match - it must exist as one of these; empty for any version (If-Match: *).</param>
internal readonly record struct WriteCondition(bool Create, IReadOnlyList<string> Tags);

/// <summary>
/// Saves a file so that it is at every moment either what it was or what it becomes, also through a crash or a full disk:
/// temporary file beside it, content, fsync, mode, check of the version, rename over it, fsync of the folder.
/// </summary>
/// <remarks>
/// The check of the version and the rename are one step for everybody who saves through this program. A program in the terminal that writes
/// between the two is not seen: no file system call compares and exchanges.
/// </remarks>
internal sealed class FileWriter(WorkspaceFolder workspace, InFlight inFlight)
{
    private const uint NewFileMode = 0x1B6;
    private readonly Lock _commit = new();

    /// <summary>Saves everything that the stream has.</summary>
    /// <returns>The new version, and whether the file is new.</returns>
    public async Task<(FileStat Stat, bool Created)> WriteAsync(
        WorkspacePath path,
        Stream content,
        WriteCondition condition,
        CancellationToken cancellationToken
    )
    {
        if (path.IsRoot)
        {
            throw FileProblems.IsRoot();
        }

        using var at = workspace.Locate(path, followLast: true);

        // Asked before the content is taken, so that nobody uploads for an hour to hear no; and again when it counts.
        CheckCondition(at, condition);
        var temporary = inFlight.Take();
        var named = false;
        try
        {
            var fd = Libc.OpenAt(
                at.Folder,
                temporary,
                Libc.OWronly | Libc.OCreat | Libc.OExcl | Libc.ONofollow | Libc.OCloexec,
                NewFileMode
            );
            if (fd < 0)
            {
                throw FileProblems.FromErrno(Marshal.GetLastPInvokeError(), path);
            }

            named = true;
            using var file = new SafeFileHandle(fd, ownsHandle: true);
            await CopyAsync(content, file, path, cancellationToken);
            return Commit(at, temporary, file, condition, ref named);
        }
        finally
        {
            if (named)
            {
                _ = Libc.UnlinkAt(at.Folder, temporary, 0);
            }

            inFlight.Release(temporary);
        }
    }

    private static async Task CopyAsync(Stream content, SafeFileHandle file, WorkspacePath path, CancellationToken cancellationToken)
    {
        var buffer = new byte[128 * 1024];
        while (await content.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            for (var done = 0; done < read;)
            {
                var written = Libc.Write(file, buffer.AsSpan(done, read - done), read - done);
                if (written < 0 && Marshal.GetLastPInvokeError() is var errno and not Libc.EIntr)
                {
                    throw FileProblems.FromErrno(errno, path);
                }

                done += (int)Math.Max(written, 0);
            }
        }
    }

    private (FileStat Stat, bool Created) Commit(
        Location at,
        string temporary,
        SafeFileHandle file,
        WriteCondition condition,
        ref bool named
    )
    {
        if (Libc.FSync(file) != 0)
        {
            throw FileProblems.FromErrno(Marshal.GetLastPInvokeError(), at.Path);
        }

        FileStat written;
        bool created;
        lock (_commit)
        {
            var existing = CheckCondition(at, condition);
            created = existing is null;
            if (existing is { } old)
            {
                // The owner first: a change of owner clears set-id bits. It fails for those who may not, and then the file is the person's
                // own.
                _ = Libc.FChown(file, old.User, old.Group);
                if (Libc.FChmod(file, old.Permissions) != 0)
                {
                    throw FileProblems.FromErrno(Marshal.GetLastPInvokeError(), at.Path);
                }
            }

            var flags = created ? Libc.RenameNoreplace : 0;
            if (
                Libc.RenameAt2(at.Folder, temporary, at.Folder, at.Name, flags) != 0
                && Retry(at, temporary, created, Marshal.GetLastPInvokeError()) is var errno and not 0
            )
            {
                throw FileProblems.FromErrno(errno, at.Path);
            }

            named = false;
            written = Location.StatOpen(file, at.Path);
        }

        WorkspaceFiles.Sync(at.Folder, at.Path);
        return (written, created);
    }

    private static int Retry(Location at, string temporary, bool created, int errno)
    {
        if (errno is not (Libc.EInval or Libc.ENosys) || (created && at.TryStat() is not null))
        {
            return errno;
        }

        return Libc.RenameAt(at.Folder, temporary, at.Folder, at.Name) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private static FileStat? CheckCondition(Location at, WriteCondition condition)
    {
        var existing = at.TryStat();
        if (existing is { IsFile: false } other)
        {
            throw other.IsFolder ? FileProblems.FromErrno(Libc.EIsdir, at.Path) : FileProblems.NotAFile(at.Path);
        }

        if (condition.Create)
        {
            return existing is null ? null : throw FileProblems.Exists(at.Path);
        }

        if (existing is null)
        {
            throw FileProblems.Gone(at.Path);
        }

        return condition.Tags.Count == 0 || condition.Tags.Contains(existing.Value.ETag) ? existing : throw FileProblems.Changed(at.Path);
    }
}
