using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Berth.Studio.Files;

/// <summary>Takes the entries of an archive, in the order in which they are to be.</summary>
internal interface IArchiveSink : IAsyncDisposable
{
    Task AddFolderAsync(string name, FileStat stat, CancellationToken cancellationToken);

    Task AddFileAsync(string name, FileStat stat, Stream content, CancellationToken cancellationToken);

    Task AddLinkAsync(string name, FileStat stat, string target, CancellationToken cancellationToken);
}

/// <summary>A pax archive.</summary>
internal sealed class TarSink(Stream target) : IArchiveSink
{
    private readonly TarWriter _writer = new(target, TarEntryFormat.Pax, leaveOpen: true);

    public Task AddFolderAsync(string name, FileStat stat, CancellationToken cancellationToken) =>
        AddAsync(new PaxTarEntry(TarEntryType.Directory, name), stat, cancellationToken);

    public Task AddFileAsync(string name, FileStat stat, Stream content, CancellationToken cancellationToken) =>
        AddAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content }, stat, cancellationToken);

    public Task AddLinkAsync(string name, FileStat stat, string target, CancellationToken cancellationToken) =>
        AddAsync(new PaxTarEntry(TarEntryType.SymbolicLink, name) { LinkName = target }, stat, cancellationToken);

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    private Task AddAsync(PaxTarEntry entry, FileStat stat, CancellationToken cancellationToken)
    {
        entry.Mode = (UnixFileMode)stat.Permissions;
        entry.ModificationTime = stat.Modified;
        return _writer.WriteEntryAsync(entry, cancellationToken);
    }
}

/// <summary>A zip archive; mode and links as Info-ZIP writes them, in the upper half of the external attributes.</summary>
internal sealed class ZipSink(ZipArchive archive) : IArchiveSink
{
    /// <summary>What the format's two-second DOS times can say.</summary>
    private static readonly DateTimeOffset Earliest = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset Latest = new(2107, 12, 31, 0, 0, 0, TimeSpan.Zero);

    public Task AddFolderAsync(string name, FileStat stat, CancellationToken cancellationToken)
    {
        Create(name, stat, CompressionLevel.NoCompression);
        return Task.CompletedTask;
    }

    public async Task AddFileAsync(string name, FileStat stat, Stream content, CancellationToken cancellationToken)
    {
        await using var target = await Create(name, stat, CompressionLevel.Fastest).OpenAsync(cancellationToken);
        await content.CopyToAsync(target, cancellationToken);
    }

    public async Task AddLinkAsync(string name, FileStat stat, string target, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(target));
        await AddFileAsync(name, stat, content, cancellationToken);
    }

    public ValueTask DisposeAsync() => archive.DisposeAsync();

    private ZipArchiveEntry Create(string name, FileStat stat, CompressionLevel level)
    {
        var entry = archive.CreateEntry(name, level);
        entry.ExternalAttributes = (int)(stat.Mode << 16);
        entry.LastWriteTime =
            stat.Modified < Earliest ? Earliest
            : stat.Modified > Latest ? Latest
            : stat.Modified;
        return entry;
    }
}

/// <summary>
/// Reads exactly the length that was announced: a file that grows meanwhile is cut there, one that shrinks is filled with zeros. A tar
/// entry's header states the length before the content is read, and a wrong one would spoil everything after it.
/// </summary>
internal sealed class ExactLengthStream(Stream inner, long length) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        buffer = Limit(buffer);
        return Fill(buffer, buffer.IsEmpty ? 0 : inner.Read(buffer));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, length - _position)];
        var read = buffer.IsEmpty ? 0 : await inner.ReadAsync(buffer, cancellationToken);
        return Fill(buffer.Span, read);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private Span<byte> Limit(Span<byte> buffer) => buffer[..(int)Math.Min(buffer.Length, length - _position)];

    private int Fill(Span<byte> buffer, int read)
    {
        if (read == 0)
        {
            buffer.Clear();
            read = buffer.Length;
        }

        _position += read;
        return read;
    }
}
