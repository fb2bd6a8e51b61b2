using System.Text.RegularExpressions;

namespace Berth.Operator.Archives;

/// <summary>Where the archives of one workspace are.</summary>
internal interface IArchiveStore
{
    /// <summary>The archives there are, newest first.</summary>
    Task<IReadOnlyList<StoredArchive>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Writes an archive; it is there once <see cref="CommitAsync"/> says so.</summary>
    Task<long> WriteAsync(string name, Action<Stream> write, CancellationToken cancellationToken);

    /// <summary>Opens what <see cref="WriteAsync"/> wrote, before it counts.</summary>
    Task<Stream> OpenWrittenAsync(string name, CancellationToken cancellationToken);

    /// <summary>Lets what was written count, complete or not.</summary>
    Task CommitAsync(string name, bool incomplete, CancellationToken cancellationToken);

    /// <summary>Takes back what was written and does not count.</summary>
    Task AbandonAsync(string name, CancellationToken cancellationToken);

    /// <summary>Opens an archive; null when there is none of that name.</summary>
    Task<Stream?> OpenAsync(string name, CancellationToken cancellationToken);

    /// <summary>Deletes an archive.</summary>
    Task DeleteAsync(StoredArchive archive, CancellationToken cancellationToken);
}

/// <summary>Names of archives and of their files.</summary>
internal static partial class ArchiveNames
{
    internal const string Complete = ".tar.gz";
    internal const string Incomplete = ".incomplete.tar.gz";
    internal const string Partial = ".partial";

    internal static bool IsName(string name) => Name().IsMatch(name);

    /// <summary>The archive that a file name stands for; null when it is none.</summary>
    internal static StoredArchive? Read(string file, long size, DateTimeOffset completed)
    {
        var incomplete = file.EndsWith(Incomplete, StringComparison.Ordinal);
        var suffix = incomplete ? Incomplete : Complete;
        return file.EndsWith(suffix, StringComparison.Ordinal) && IsName(file[..^suffix.Length])
            ? new StoredArchive
            {
                Name = file[..^suffix.Length],
                Size = size,
                Completed = Times.Seconds(completed),
                Incomplete = incomplete
            }
            : null;
    }

    internal static string FileOf(StoredArchive archive) => archive.Name + (archive.Incomplete ? Incomplete : Complete);

    /// <summary>
    /// Which archives may go so that <paramref name="keep"/> remain: the oldest, and only complete ones count, so that no number of
    /// incomplete ones ever pushes out a good one. An incomplete one goes once a newer complete one is there.
    /// </summary>
    internal static IReadOnlyList<StoredArchive> Superfluous(IReadOnlyList<StoredArchive> newestFirst, int keep)
    {
        var good = newestFirst.Where(a => !a.Incomplete).ToList();
        return good.Count == 0
            ? []
            : [.. good.Skip(Math.Max(keep, 1)), .. newestFirst.Where(a => a.Incomplete && string.CompareOrdinal(a.Name, good[0].Name) < 0)];
    }

    internal static IReadOnlyList<StoredArchive> Sort(IEnumerable<StoredArchive> archives) =>
        [.. archives.OrderByDescending(a => a.Name, StringComparer.Ordinal)];

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?\z")]
    private static partial Regex Name();
}

/// <summary>Archives as files in a folder. A file counts under its name only once it is whole, compared and on the disk.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class FolderArchives(string folder) : IArchiveStore
{
    public Task<IReadOnlyList<StoredArchive>> ListAsync(CancellationToken cancellationToken) => Task.FromResult(ArchiveNames.Sort(
        new DirectoryInfo(folder).EnumerateFiles().Where(f => f.LinkTarget is null)
            .Select(f => ArchiveNames.Read(f.Name, f.Length, f.LastWriteTimeUtc)).OfType<StoredArchive>()));

    public Task<long> WriteAsync(string name, Action<Stream> write, CancellationToken cancellationToken)
    {
        var path = PartialOf(name);
        File.Delete(path);
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 128 * 1024,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        });
        write(file);
        file.Flush(flushToDisk: true);
        return Task.FromResult(file.Length);
    }

    public Task<Stream> OpenWrittenAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult<Stream>(Read(PartialOf(name)));

    public Task CommitAsync(string name, bool incomplete, CancellationToken cancellationToken)
    {
        var archive = new StoredArchive { Name = name, Incomplete = incomplete };
        Libc.Rename(PartialOf(name), Path.Combine(folder, ArchiveNames.FileOf(archive)));
        Libc.SyncFileSystem(folder);

        // What earlier runs left that were ended in the middle.
        foreach (var left in Directory.EnumerateFiles(folder, "*" + ArchiveNames.Partial))
        {
            File.Delete(left);
        }

        return Task.CompletedTask;
    }

    public Task AbandonAsync(string name, CancellationToken cancellationToken)
    {
        File.Delete(PartialOf(name));
        return Task.CompletedTask;
    }

    public Task<Stream?> OpenAsync(string name, CancellationToken cancellationToken)
    {
        foreach (var suffix in (ReadOnlySpan<string>)[ArchiveNames.Complete, ArchiveNames.Incomplete])
        {
            var path = Path.Combine(folder, name + suffix);
            if (new FileInfo(path) is { Exists: true, LinkTarget: null })
            {
                return Task.FromResult<Stream?>(Read(path));
            }
        }

        return Task.FromResult<Stream?>(null);
    }

    public Task DeleteAsync(StoredArchive archive, CancellationToken cancellationToken)
    {
        File.Delete(Path.Combine(folder, ArchiveNames.FileOf(archive)));
        return Task.CompletedTask;
    }

    private string PartialOf(string name) => Path.Combine(folder, name + ArchiveNames.Partial);

    private static FileStream Read(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 128 * 1024);
}
