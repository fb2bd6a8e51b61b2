using System.Buffers;
using System.IO.Pipelines;

namespace Berth.Operator.Archives;

/// <summary>
/// Archives as objects: <c>PREFIX/NAME.tar.gz</c>, and beside it an empty <c>NAME.complete</c> or <c>NAME.incomplete</c>, written once the
/// archive was read back and compared. Without that it does not count, and the next archive takes it away.
/// </summary>
internal sealed class S3Archives(S3Client client, string prefix, int firstPartSize = S3Archives.FirstPartSize) : IArchiveStore
{
    /// <summary>16 MiB: with the growth below, 10,000 parts (S3's most) make 730 GiB, and memory holds one part.</summary>
    internal const int FirstPartSize = 16 << 20;

    private const int PartsOfASize = 2000;
    private const int MaxGrowth = 3;
    private const string Data = ".tar.gz";
    private const string Complete = ".complete";
    private const string Incomplete = ".incomplete";

    private string Folder => prefix.Length == 0 ? "" : prefix + "/";

    public async Task<IReadOnlyList<StoredArchive>> ListAsync(CancellationToken cancellationToken)
    {
        var objects = (await client.ListAsync(Folder, cancellationToken))
            .Select(o => o with { Key = o.Key[Folder.Length..] }).ToDictionary(o => o.Key, StringComparer.Ordinal);
        return ArchiveNames.Sort(objects.Values.Select(o => Read(o, objects)).OfType<StoredArchive>());
    }

    public async Task<long> WriteAsync(string name, Action<Stream> write, CancellationToken cancellationToken)
    {
        var key = Folder + name + Data;
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 4 << 20, resumeWriterThreshold: 2 << 20));
        var writing = Task.Run(() => Produce(pipe.Writer, write), CancellationToken.None);
        try
        {
            return await UploadAsync(key, pipe.Reader, cancellationToken);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            await writing;
        }
    }

    public async Task<Stream> OpenWrittenAsync(string name, CancellationToken cancellationToken) =>
        await client.GetAsync(Folder + name + Data, cancellationToken)
        ?? throw new ArchiveException("The object store does not know the archive that was just written.");

    public async Task CommitAsync(string name, bool incomplete, CancellationToken cancellationToken)
    {
        await client.PutAsync(Folder + name + (incomplete ? Incomplete : Complete), ReadOnlyMemory<byte>.Empty, cancellationToken);

        // What earlier runs left that were ended in the middle. There is one run at a time for a workspace.
        var objects = (await client.ListAsync(Folder, cancellationToken)).Select(o => o.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var key in objects.Where(k => k.EndsWith(Data, StringComparison.Ordinal)
            && !objects.Contains(k[..^Data.Length] + Complete) && !objects.Contains(k[..^Data.Length] + Incomplete)))
        {
            await client.DeleteAsync(key, cancellationToken);
        }

        foreach (var (key, upload) in await client.ListUploadsAsync(Folder, cancellationToken))
        {
            await client.AbortUploadAsync(key, upload, cancellationToken);
        }
    }

    public Task AbandonAsync(string name, CancellationToken cancellationToken) =>
        client.DeleteAsync(Folder + name + Data, cancellationToken);

    public async Task<Stream?> OpenAsync(string name, CancellationToken cancellationToken) =>
        (await ListAsync(cancellationToken)).Any(a => a.Name == name)
            ? await client.GetAsync(Folder + name + Data, cancellationToken)
            : null;

    public async Task DeleteAsync(StoredArchive archive, CancellationToken cancellationToken)
    {
        // First what makes it count: an archive without its content must never be offered.
        await client.DeleteAsync(Folder + archive.Name + (archive.Incomplete ? Incomplete : Complete), cancellationToken);
        await client.DeleteAsync(Folder + archive.Name + Data, cancellationToken);
    }

    private static StoredArchive? Read(S3Object mark, Dictionary<string, S3Object> objects)
    {
        var name = Path.GetFileNameWithoutExtension(mark.Key);
        var suffix = Path.GetExtension(mark.Key);
        return suffix is Complete or Incomplete && ArchiveNames.IsName(name) && objects.TryGetValue(name + Data, out var data)
            ? new StoredArchive
            {
                Name = name,
                Size = data.Size,
                Completed = Times.Seconds(mark.Modified),
                Incomplete = suffix == Incomplete,
            }
            : null;
    }

    private static void Produce(PipeWriter writer, Action<Stream> write)
    {
        try
        {
            using (var stream = writer.AsStream(leaveOpen: true))
            {
                write(stream);
            }

            writer.Complete();
        }
        catch (Exception e)
        {
            // The reader gets it, and with it the upload fails.
            writer.Complete(e);
        }
    }

    private async Task<long> UploadAsync(string key, PipeReader reader, CancellationToken cancellationToken)
    {
        var upload = await client.BeginUploadAsync(key, cancellationToken);
        try
        {
            var tags = new List<string>();
            long total = 0;
            while (true)
            {
                var size = firstPartSize << Math.Min(tags.Count / PartsOfASize, MaxGrowth);
                var part = ArrayPool<byte>.Shared.Rent(size);
                try
                {
                    var length = await FillAsync(reader, part.AsMemory(0, size), cancellationToken);
                    if (length == 0 && tags.Count > 0)
                    {
                        break;
                    }

                    tags.Add(await client.UploadPartAsync(key, upload, tags.Count + 1, part.AsMemory(0, length), cancellationToken));
                    total += length;
                    if (length < size)
                    {
                        break;
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(part);
                }
            }

            await client.CompleteUploadAsync(key, upload, tags, cancellationToken);
            return total;
        }
        catch
        {
            await client.AbortUploadAsync(key, upload, CancellationToken.None);
            throw;
        }
    }

    private static async Task<int> FillAsync(PipeReader reader, Memory<byte> part, CancellationToken cancellationToken)
    {
        var length = 0;
        while (length < part.Length)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var take = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, part.Length - length));
            take.CopyTo(part.Span[length..]);
            length += (int)take.Length;
            reader.AdvanceTo(take.End);
            if (read.IsCompleted && take.Length == read.Buffer.Length)
            {
                break;
            }
        }

        return length;
    }
}
