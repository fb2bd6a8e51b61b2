using System.Buffers;
using System.IO.Pipelines;

namespace Kube.Client.Watching;

/// <summary>Cuts a byte stream into lines, each handed out as one span; nothing is copied unless a line lies across segments.</summary>
/// <remarks>The memory of a line is valid until the next call.</remarks>
internal sealed class FrameReader(PipeReader pipe, int maxFrameBytes) : IDisposable
{
    private byte[]? _rented;
    private bool _held;
    private SequencePosition _next;

    /// <summary>True when the line handed out last had no end: the stream stopped behind or within it.</summary>
    public bool Unterminated { get; private set; }

    /// <summary>
    /// The next line that is not blank, without its end; null at the end of the stream. A last line without its end is handed out too.
    /// </summary>
    /// <exception cref="KubeException">A line is larger than the bound.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        Release();
        long scanned = 0;
        while (true)
        {
            var result = await pipe.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            while (buffer.Slice(scanned).PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                var after = buffer.GetPosition(1, end);
                if (line.Length > maxFrameBytes)
                {
                    throw TooLarge();
                }

                if (!Blank(line))
                {
                    return Hold(line, after);
                }

                buffer = buffer.Slice(after);
                scanned = 0;
            }

            if (buffer.Length > maxFrameBytes)
            {
                throw TooLarge();
            }

            if (result.IsCompleted)
            {
                Unterminated = !Blank(buffer);
                return Unterminated ? Hold(buffer, buffer.End) : default(ReadOnlyMemory<byte>?);
            }

            scanned = buffer.Length;
            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _held = false;
        Return();
    }

    private ReadOnlyMemory<byte> Hold(ReadOnlySequence<byte> line, SequencePosition next)
    {
        _next = next;
        _held = true;
        if (line.IsSingleSegment)
        {
            return line.First;
        }

        _rented = ArrayPool<byte>.Shared.Rent((int)line.Length);
        line.CopyTo(_rented);
        return _rented.AsMemory(0, (int)line.Length);
    }

    private void Release()
    {
        if (_held)
        {
            _held = false;
            pipe.AdvanceTo(_next);
        }

        Return();
    }

    private void Return()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }
    }

    private KubeException TooLarge() =>
        new($"The watch sent a frame of more than {maxFrameBytes} bytes; no Kubernetes object is that large (MaxFrameBytes).", null);

    private static bool Blank(ReadOnlySequence<byte> line)
    {
        foreach (var segment in line)
        {
            if (segment.Span.ContainsAnyExcept(" \t\r"u8))
            {
                return false;
            }
        }

        return true;
    }
}
