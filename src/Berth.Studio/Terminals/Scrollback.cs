namespace Berth.Studio.Terminals;

/// <summary>The last bytes of an endless stream, addressed by their position in the stream. Not thread-safe.</summary>
internal sealed class Scrollback(int capacity)
{
    private readonly byte[] _ring = new byte[capacity];

    /// <summary>How many bytes were ever appended: the position of the next one.</summary>
    public long End { get; private set; }

    /// <summary>The position of the oldest byte that is still there.</summary>
    public long Start => Math.Max(0, End - _ring.Length);

    /// <summary>Adds bytes; the oldest ones make room.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _ring.Length)
        {
            End += bytes.Length - _ring.Length;
            bytes = bytes[^_ring.Length..];
        }

        var at = (int)(End % _ring.Length);
        var first = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..].CopyTo(_ring);
        End += bytes.Length;
    }

    /// <summary>Copies what is there from a position on, as much as fits.</summary>
    /// <returns>How many bytes were copied.</returns>
    public int Copy(long from, Span<byte> target)
    {
        if (from < Start || from > End)
        {
            throw new ArgumentOutOfRangeException(nameof(from), from, $"The stream has {Start} to {End}.");
        }

        var length = (int)Math.Min(target.Length, End - from);
        var at = (int)(from % _ring.Length);
        var first = Math.Min(length, _ring.Length - at);
        _ring.AsSpan(at, first).CopyTo(target);
        _ring.AsSpan(0, length - first).CopyTo(target[first..]);
        return length;
    }
}
