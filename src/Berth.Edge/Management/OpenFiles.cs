using System.Globalization;

namespace Berth.Edge;

/// <summary>Open files of this process as Linux tells them; elsewhere nothing is told.</summary>
internal static class OpenFiles
{
    /// <summary>How many are open; null where that is not known.</summary>
    public static long? Count()
    {
        try
        {
            // The listing itself opens one.
            return Directory.EnumerateFileSystemEntries("/proc/self/fd").LongCount() - 1;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>How many may be; null where that is not known or has no limit.</summary>
    public static long? Limit()
    {
        try
        {
            return LimitOf(File.ReadLines("/proc/self/limits"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The soft limit in the lines of <c>/proc/self/limits</c>.</summary>
    internal static long? LimitOf(IEnumerable<string> lines)
    {
        const string Name = "Max open files";
        var line = lines.FirstOrDefault(l => l.StartsWith(Name, StringComparison.Ordinal));
        var soft = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : null;
    }
}
