namespace Berth.Resources;

/// <summary>The lower-case base32 of the names: RFC 4648 alphabet (a-z, 2-7), no padding, so that the text is a valid DNS label.</summary>
internal static class Base32
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>Encodes the first <paramref name="length"/> characters of <paramref name="bytes"/>; five bits each.</summary>
    internal static string Encode(ReadOnlySpan<byte> bytes, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, bytes.Length * 8 / 5);
        Span<char> text = stackalloc char[length];
        var bits = 0;
        var buffer = 0;
        var next = 0;
        for (var i = 0; i < length; i++)
        {
            if (bits < 5)
            {
                buffer = (buffer << 8) | bytes[next++];
                bits += 8;
            }

            text[i] = Alphabet[(buffer >> (bits - 5)) & 31];
            bits -= 5;
            buffer &= (1 << bits) - 1;
        }

        return new string(text);
    }
}
