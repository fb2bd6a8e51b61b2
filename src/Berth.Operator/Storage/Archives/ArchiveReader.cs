using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Berth.Operator.Archives;

/// <summary>What is done with the entries of an archive while it is read.</summary>
internal interface IArchiveSink
{
    /// <summary>A folder.</summary>
    void Folder(string path);

    /// <summary>A file; its content is read to the end by the sink.</summary>
    void File(string path, Stream content, long length);

    /// <summary>A symbolic link; it may lead anywhere, and must not be followed.</summary>
    void Link(string path, string target);

    /// <summary>Another name of a file that came before.</summary>
    void HardLink(string path, string existing);
}

/// <summary>How much an archive may hold.</summary>
/// <param name="Bytes">Bytes of all files.</param>
/// <param name="Entries">Files, folders and links.</param>
internal sealed record ArchiveLimits(long Bytes, long Entries)
{
    /// <summary>For looking at an archive, which costs time at most.</summary>
    internal static ArchiveLimits None { get; } = new(long.MaxValue, long.MaxValue);
}

/// <summary>
/// Reads an archive from one end to the other and compares all that is in it with the manifest: each hash, each length, each link, and that
/// nothing is missing and nothing was added.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class ArchiveReader : IDisposable
{
    private readonly IArchiveSink? _sink;
    private readonly ArchiveLimits _limits;
    private readonly FileStream _seen = TemporaryFile.Create();
    private long _entries;
    private long _bytes;

    private ArchiveReader(IArchiveSink? sink, ArchiveLimits limits)
    {
        _sink = sink;
        _limits = limits;
    }

    /// <summary>Reads and compares.</summary>
    /// <param name="input">The archive.</param>
    /// <param name="sink">What gets the entries; null only compares.</param>
    /// <param name="limits">How much it may hold.</param>
    /// <param name="manifest">Gets the entries of the manifest, in order, once all is found to agree.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArchiveException">It is damaged, refused, or not what its manifest says.</exception>
    internal static ManifestEnd Read(
        Stream input, IArchiveSink? sink, ArchiveLimits limits, Action<ArchiveEntry>? manifest, CancellationToken cancellationToken)
    {
        using var reader = new ArchiveReader(sink, limits);
        try
        {
            return reader.ReadAll(input, manifest, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or JsonException or OverflowException
            or ArgumentException)
        {
            throw new ArchiveException($"The archive is damaged: {e.Message}", e);
        }
    }

    public void Dispose() => _seen.Dispose();

    private ManifestEnd ReadAll(Stream input, Action<ArchiveEntry>? manifest, CancellationToken cancellationToken)
    {
        using var gzip = new GZipStream(input, CompressionMode.Decompress, leaveOpen: true);
        using var tar = new TarReader(gzip, leaveOpen: true);
        ManifestEnd? end = null;
        while (tar.GetNextEntry() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (end is not null)
            {
                throw new ArchiveException("The archive is refused: something follows the manifest.");
            }

            if (entry.Name == ArchiveWriter.ManifestName)
            {
                using var text = entry.DataStream ?? Stream.Null;
                end = Compare(text, manifest);
            }
            else
            {
                Take(entry);
            }
        }

        Drain(gzip);
        return end ?? throw new ArchiveException("The archive is damaged: it has no manifest, so its end is missing.");
    }

    // To the very end, which is where gzip keeps its checksum.
    private static void Drain(GZipStream gzip)
    {
        var buffer = new byte[16 * 1024];
        while (gzip.Read(buffer) is > 0 and var read)
        {
            if (buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                throw new ArchiveException("The archive is refused: something follows its end.");
            }
        }
    }

    private void Take(TarEntry entry)
    {
        if (++_entries > _limits.Entries)
        {
            throw new ArchiveException($"The archive is refused: it has more than {_limits.Entries} entries.");
        }

        var path = ArchivePaths.Below(entry.Name, "the entry");
        var seen = new ArchiveEntry { Path = path };
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                seen = seen with { Type = ArchiveEntry.Folder };
                _sink?.Folder(path);
                break;
            case TarEntryType.SymbolicLink:
                seen = seen with { Type = ArchiveEntry.Link, Target = ArchivePaths.Meant(entry.LinkName) };
                _sink?.Link(path, seen.Target);
                break;
            case TarEntryType.HardLink:
                var existing = ArchivePaths.Below(entry.LinkName, "the target of a hard link");
                seen = seen with { Type = ArchiveEntry.HardLink, Target = existing };
                _sink?.HardLink(path, existing);
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                seen = seen with { Type = ArchiveEntry.File, Size = entry.Length, Sha256 = TakeFile(path, entry) };
                break;
            default:
                throw new ArchiveException(
                    $"The archive is refused: the entry '{path}' is of a kind that no volume has ({entry.EntryType}).");
        }

        ManifestLines.Write(_seen, seen, ArchiveJson.Default.ArchiveEntry);
    }

    private string TakeFile(string path, TarEntry entry)
    {
        _bytes += entry.Length;
        if (_bytes > _limits.Bytes || _bytes < 0)
        {
            throw new ArchiveException($"The archive is refused: it holds more than {_limits.Bytes} bytes.");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var content = new HashingStream(entry.DataStream ?? Stream.Null, hash);
        if (_sink is null)
        {
            content.CopyTo(Stream.Null, 128 * 1024);
        }
        else
        {
            _sink.File(path, content, entry.Length);
        }

        return content.Count == entry.Length
            ? Convert.ToHexStringLower(hash.GetHashAndReset())
            : throw new ArchiveException($"The archive is damaged: '{path}' ends early.");
    }

    private ManifestEnd Compare(Stream manifest, Action<ArchiveEntry>? tell)
    {
        // Kept, since the entries are told only after all of them were found to agree.
        using var copy = TemporaryFile.Create();
        manifest.CopyTo(copy);
        copy.Position = 0;
        _seen.Position = 0;
        ManifestEnd end;
        using (var said = new StreamReader(copy, Encoding.UTF8, false, -1, leaveOpen: true))
        using (var seen = new StreamReader(_seen, Encoding.UTF8, false, -1, leaveOpen: true))
        {
            var head = JsonSerializer.Deserialize(said.ReadLine() ?? "", ArchiveJson.Default.ManifestHead);
            if (head?.Format != ManifestHead.Version)
            {
                throw new ArchiveException(
                    $"The archive is of another format ('{head?.Format}') than this version reads ({ManifestHead.Version}).");
            }

            while (seen.ReadLine() is { } line)
            {
                var found = JsonSerializer.Deserialize(line, ArchiveJson.Default.ArchiveEntry)!;
                var wanted = JsonSerializer.Deserialize(said.ReadLine() ?? "", ArchiveJson.Default.ArchiveEntry)!;
                if ((wanted with { Mode = null, Modified = null }) != found)
                {
                    throw new ArchiveException($"The archive is damaged: '{found.Path}' is not what the manifest says it is.");
                }
            }

            end = JsonSerializer.Deserialize(said.ReadLine() ?? "", ArchiveJson.Default.ManifestEnd)!;
            if (!end.End || end.Entries != _entries || said.ReadLine() is not null)
            {
                throw new ArchiveException("The archive is damaged: the manifest and what is there differ in number.");
            }
        }

        if (tell is not null)
        {
            copy.Position = 0;
            using var said = new StreamReader(copy, Encoding.UTF8, false, -1, leaveOpen: true);
            said.ReadLine();
            for (long i = 0; i < _entries; i++)
            {
                tell(JsonSerializer.Deserialize(said.ReadLine()!, ArchiveJson.Default.ArchiveEntry)!);
            }
        }

        return end;
    }

    private sealed class HashingStream(Stream inner, IncrementalHash hash) : Stream
    {
        public long Count { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => Count;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer);
            hash.AppendData(buffer[..read]);
            Count += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
