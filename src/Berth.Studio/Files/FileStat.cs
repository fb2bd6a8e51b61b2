using System.Globalization;

namespace Berth.Studio.Files;

/// <summary>What the system says of a file.</summary>
internal readonly record struct FileStat(
    uint Mode,
    ulong Inode,
    long Size,
    uint User,
    uint Group,
    long ModifiedTicks,
    uint ModifiedNanoseconds,
    long ChangedTicks,
    uint ChangedNanoseconds
)
{
    private const uint TypeMask = 0xF000;

    public bool IsFile => (Mode & TypeMask) == 0x8000;

    public bool IsFolder => (Mode & TypeMask) == 0x4000;

    public bool IsLink => (Mode & TypeMask) == 0xA000;

    /// <summary>Permission bits, with set-id and sticky.</summary>
    public uint Permissions => Mode & 0xFFF;

    public DateTimeOffset Modified => DateTimeOffset.UnixEpoch.AddSeconds(ModifiedTicks).AddTicks(ModifiedNanoseconds / 100);

    /// <summary>
    /// The version of the content, as a strong entity tag. A save here makes a new inode, a write in place changes mtime and ctime (to the
    /// nanosecond where the file system has it), and ctime cannot be set back by a program: together they do not repeat.
    /// </summary>
    public string ETag =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"\"{Inode:x}-{Size:x}-{ModifiedTicks:x}.{ModifiedNanoseconds:x}-{ChangedTicks:x}.{ChangedNanoseconds:x}\""
        );

    public static FileStat From(in Libc.StatXBuffer b) =>
        new(
            b.Mode,
            b.Inode,
            (long)b.Size,
            b.User,
            b.Group,
            b.ModifiedSeconds,
            b.ModifiedNanoseconds,
            b.ChangedSeconds,
            b.ChangedNanoseconds
        );
}
