using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Berth.Edge;

/// <summary>Writes the small binary payloads of cookies: numbers of fixed size, texts with a length of two bytes.</summary>
internal sealed class CompactWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>Bytes so far.</summary>
    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    public CompactWriter Byte(byte value)
    {
        _buffer.Write([value]);
        return this;
    }

    public CompactWriter Number(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        _buffer.Write(bytes);
        return this;
    }

    /// <summary>Whole seconds.</summary>
    public CompactWriter Time(DateTimeOffset value) => Number(value.ToUnixTimeSeconds());

    /// <summary>A text; null and empty are the same.</summary>
    public CompactWriter Text(string? value)
    {
        var bytes = Encoding.UTF8.GetBytes(value ?? "");
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, checked((ushort)bytes.Length));
        _buffer.Write(length);
        _buffer.Write(bytes);
        return this;
    }
}

/// <summary>Reads what <see cref="CompactWriter"/> wrote. After a read past the end <see cref="IsComplete"/> is false.</summary>
internal sealed class CompactReader(byte[] bytes)
{
    private int _position;
    private bool _failed;

    /// <summary>Everything was there and nothing is left.</summary>
    public bool IsComplete => !_failed && _position == bytes.Length;

    public byte Byte() => Take(1) is { Length: 1 } one ? one[0] : (byte)0;

    public long Number() => Take(8) is { Length: 8 } eight ? BinaryPrimitives.ReadInt64BigEndian(eight) : 0;

    public DateTimeOffset Time()
    {
        var seconds = Number();
        if (seconds is < 0 or > 253_402_300_799)
        {
            _failed = true;
            return DateTimeOffset.UnixEpoch;
        }

        return DateTimeOffset.FromUnixTimeSeconds(seconds);
    }

    public string? Text()
    {
        var length = Take(2) is { Length: 2 } two ? BinaryPrimitives.ReadUInt16BigEndian(two) : 0;
        var text = Take(length);
        return text.Length == 0 ? null : Encoding.UTF8.GetString(text);
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_failed || count > bytes.Length - _position)
        {
            _failed = true;
            return [];
        }

        _position += count;
        return bytes.AsSpan(_position - count, count);
    }
}
