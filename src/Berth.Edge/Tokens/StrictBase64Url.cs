using System.Buffers;
using System.Buffers.Text;

namespace Berth.Edge;

/// <summary>Base64url where each value has exactly one spelling: no padding, no spaces, unused bits zero.</summary>
internal static class StrictBase64Url
{
    /// <summary>Encodes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    /// <summary>Decodes, or null for anything but the one spelling.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return null;
            }
        }

        if (text.Length % 4 == 1)
        {
            return null;
        }

        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];

        // Not the Try method: it throws for left-over bits, the status does not.
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done)
        {
            return null;
        }

        var result = bytes.AsSpan(0, written).ToArray();

        // A decoder may ignore the bits left over in the last character; then several texts mean one value, and a signature or cookie has
        // twins.
        return text.SequenceEqual(Base64Url.EncodeToString(result)) ? result : null;
    }
}
