using System.Globalization;
using System.Text;

namespace Kube.Server.Runner.Logs;

/// <summary>
/// The line format of container log files (the CRI's): <c>2030-01-01T00:00:00.000000000Z stdout F text</c>. P instead of F marks a line
/// that goes on in the next entry.
/// </summary>
internal static class LogLine
{
    public const int TimeLength = 30;

    /// <summary>Longer lines are cut into parts of this size, as container runtimes do.</summary>
    public const int MaxPart = 16 * 1024;

    /// <summary>RFC 3339 with nine fraction digits, UTC.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff",
        CultureInfo.InvariantCulture) + "00Z";

    /// <returns>Bytes written.</returns>
    public static int Write(Stream target, DateTimeOffset at, string stream, bool partial, ReadOnlySpan<byte> text)
    {
        var head = Encoding.ASCII.GetBytes($"{Time(at)} {stream} {(partial ? 'P' : 'F')} ");
        target.Write(head);
        target.Write(text);
        target.WriteByte((byte)'\n');
        return head.Length + text.Length + 1;
    }

    /// <summary>Takes an entry (without its line feed) apart. False for what is not one, such as the last line before a crash.</summary>
    public static bool TryParse(ReadOnlySpan<byte> entry, out DateTimeOffset at, out bool partial, out ReadOnlySpan<byte> text)
    {
        at = default;
        partial = false;
        text = default;
        if (entry.Length < TimeLength + 10 || entry[TimeLength] != (byte)' '
            || !DateTimeOffset.TryParseExact(Encoding.ASCII.GetString(entry[..27]), "yyyy-MM-dd'T'HH:mm:ss.fffffff",
                CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
        {
            return false;
        }

        at = time;
        partial = entry[TimeLength + 8] == (byte)'P';
        text = entry[(TimeLength + 10)..];
        return true;
    }
}
