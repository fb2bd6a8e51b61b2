using System.Runtime.CompilerServices;
using System.Text;

namespace Kube.Server.Runner.Logs;

/// <summary>Reads the log of one run of a container as the API's <c>/log</c> gives it out.</summary>
internal static class ContainerLogReader
{
    private const int ChunkBytes = 32 * 1024;

    /// <param name="path">The log file; its rotated predecessor is read first.</param>
    /// <param name="live">The log while the container runs, to follow; or null.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="cancellationToken">The client is gone.</param>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        string path, ContainerLog? live, PodLogRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var limit = request.LimitBytes ?? long.MaxValue;
        var generation = live?.Generation ?? 0;
        var shape = new LineShaper(request);
        var skip = request.TailLines is { } tail ? Math.Max(0, CountLines(path, request) - tail) : 0;
        var chunk = new MemoryStream();
        var files = new Queue<string>([ContainerLog.RotatedOf(path), path]);
        while (files.TryDequeue(out var file))
        {
            using var stream = TryOpen(file);
            if (stream is null)
            {
                continue;
            }

            var lines = new LineReader(stream);
            while (true)
            {
                var changed = live?.Changed;
                var completed = live?.Completed ?? true;
                var rotated = live is not null && live.Generation != generation;
                while (lines.TryRead(out var entry))
                {
                    if (shape.Append(entry, chunk, ref skip) && chunk.Length >= ChunkBytes)
                    {
                        yield return Take(chunk, ref limit);
                        if (limit == 0)
                        {
                            yield break;
                        }
                    }
                }

                if (chunk.Length > 0)
                {
                    yield return Take(chunk, ref limit);
                    if (limit == 0)
                    {
                        yield break;
                    }
                }

                if (files.Count > 0 || !request.Follow || completed)
                {
                    break;
                }

                if (rotated)
                {
                    generation = live!.Generation;
                    files.Enqueue(path);
                    break;
                }

                await changed!.WaitAsync(cancellationToken);
            }
        }
    }

    private static ReadOnlyMemory<byte> Take(MemoryStream chunk, ref long limit)
    {
        var bytes = chunk.ToArray();
        chunk.SetLength(0);
        var count = (int)Math.Min(bytes.Length, limit);
        limit -= count;
        return bytes.AsMemory(0, count);
    }

    private static long CountLines(string path, PodLogRequest request)
    {
        var count = 0L;
        foreach (var file in new[] { ContainerLog.RotatedOf(path), path })
        {
            using var stream = TryOpen(file);
            if (stream is null)
            {
                continue;
            }

            var lines = new LineReader(stream);
            while (lines.TryRead(out var entry))
            {
                if (LogLine.TryParse(entry.Span, out var at, out var partial, out _) && !partial && !(at < request.Since))
                {
                    count++;
                }
            }
        }

        return count;
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private sealed class LineShaper(PodLogRequest request)
    {
        private bool _inside;

        public bool Append(ReadOnlyMemory<byte> entry, MemoryStream target, ref long skip)
        {
            if (!LogLine.TryParse(entry.Span, out var at, out var partial, out var text) || at < request.Since)
            {
                return false;
            }

            var first = !_inside;
            _inside = partial;
            if (skip > 0)
            {
                skip -= partial ? 0 : 1;
                return false;
            }

            if (request.Timestamps && first)
            {
                target.Write(Encoding.ASCII.GetBytes(LogLine.Time(at)));
                target.WriteByte((byte)' ');
            }

            target.Write(text);
            if (!partial)
            {
                target.WriteByte((byte)'\n');
            }

            return true;
        }
    }

    /// <summary>Whole entries only; what is not finished yet is tried again after more was written.</summary>
    private sealed class LineReader(FileStream stream)
    {
        private byte[] _buffer = new byte[64 * 1024];
        private int _start;
        private int _end;

        public bool TryRead(out ReadOnlyMemory<byte> entry)
        {
            while (true)
            {
                var at = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
                if (at >= 0)
                {
                    entry = _buffer.AsMemory(_start, at);
                    _start += at + 1;
                    return true;
                }

                if (_start > 0)
                {
                    _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                    _end -= _start;
                    _start = 0;
                }

                if (_end == _buffer.Length)
                {
                    Array.Resize(ref _buffer, _buffer.Length * 2);
                }

                var read = stream.Read(_buffer, _end, _buffer.Length - _end);
                if (read == 0)
                {
                    entry = default;
                    return false;
                }

                _end += read;
            }
        }
    }
}
