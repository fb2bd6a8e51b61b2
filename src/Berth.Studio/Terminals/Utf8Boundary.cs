namespace Berth.Studio.Terminals;

/// <summary>Where a stream of UTF-8 may be cut without cutting a character. Bytes that are not UTF-8 pass as they are.</summary>
internal static class Utf8Boundary
{
    /// <summary>The length of the longest prefix that does not end inside a character.</summary>
    public static int CompleteLength(ReadOnlySpan<byte> bytes)
    {
        // A character has at most four bytes, so its first one is among the last four.
        for (var back = 1; back <= Math.Min(4, bytes.Length); back++)
        {
            var b = bytes[^back];
            if (!IsContinuation(b))
            {
                return LengthOf(b) > back ? bytes.Length - back : bytes.Length;
            }
        }

        return bytes.Length;
    }

    /// <summary>How many bytes at the start belong to a character whose beginning is missing.</summary>
    public static int StrayLength(ReadOnlySpan<byte> bytes)
    {
        var i = 0;
        while (i < Math.Min(3, bytes.Length) && IsContinuation(bytes[i]))
        {
            i++;
        }

        return i;
    }

    private static bool IsContinuation(byte b) => (b & 0xC0) == 0x80;

    private static int LengthOf(byte first) => first switch
    {
        >= 0xF0 and <= 0xF4 => 4,
        >= 0xE0 and < 0xF0 => 3,
        >= 0xC2 and < 0xE0 => 2,
        _ => 1,
    };
}
