using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Berth.Operator.Archives;

/// <summary>
/// The calls to the system's C library that walking a tree safely needs: everything relative to an open folder, no link followed. Linux on
/// x64 and arm64; the constants are those of its kernel interface.
/// </summary>
[SupportedOSPlatform("linux")]
internal static partial class Libc
{
    public const int ENoent = 2;
    public const int EAcces = 13;
    public const int EPerm = 1;
    private const int ORdonly = 0;
    private const int ONonblock = 0x800;
    private const int OCloexec = 0x80000;
    private const int AtFdcwd = -100;
    private const int AtSymlinkNofollow = 0x100;
    private const uint StatxBasic = 0x7ff;
    private const string Lib = "libc";
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64;

    // These two have other values on arm64.
    private static int ODirectory => IsArm ? 0x4000 : 0x10000;

    private static int ONofollow => IsArm ? 0x8000 : 0x20000;

    /// <summary>Opens a folder to walk from; the last part of its path must not be a link.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenRoot(string path) =>
        Check(OpenAtNative(AtFdcwd, path, ORdonly | ODirectory | ONofollow | OCloexec, 0), path);

    /// <summary>Opens a folder within an open one.</summary>
    /// <exception cref="IOException">It cannot be opened, or is no folder by now.</exception>
    public static SafeFileHandle OpenFolder(SafeFileHandle parent, string name) =>
        Check(OpenAtNative(parent, name, ORdonly | ODirectory | ONofollow | OCloexec, 0), name);

    /// <summary>Opens a file within an open folder. Without waiting: it may have become a pipe.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenFile(SafeFileHandle parent, string name) =>
        Check(OpenAtNative(parent, name, ORdonly | ONonblock | ONofollow | OCloexec, 0), name);

    /// <summary>What is at a name within an open folder; null when nothing is (any more).</summary>
    public static StatX? Stat(SafeFileHandle parent, string name) =>
        StatXNative(parent, name, AtSymlinkNofollow, StatxBasic, out var found) == 0
            ? found
            : Marshal.GetLastPInvokeError() == ENoent ? null : throw Failure(name);

    /// <summary>What an open file is.</summary>
    public static StatX Stat(SafeFileHandle file) =>
        StatXNative(file, "", 0x1000, StatxBasic, out var found) == 0 ? found : throw Failure("an open file");

    /// <summary>Where a link leads, as it is written there.</summary>
    public static string ReadLink(SafeFileHandle parent, string name)
    {
        var buffer = new byte[4096];
        var length = ReadLinkAtNative(parent, name, buffer, buffer.Length);
        return length < 0 ? throw Failure(name) : System.Text.Encoding.UTF8.GetString(buffer, 0, (int)length);
    }

    /// <summary>Moves within a file system, whatever it is; replaces nothing but a file or an empty folder.</summary>
    public static void Rename(string from, string to)
    {
        if (RenameNative(from, to) != 0)
        {
            throw Failure(from);
        }
    }

    /// <summary>Gives a file a second name.</summary>
    public static void HardLink(string existing, string name)
    {
        if (LinkNative(existing, name) != 0)
        {
            throw Failure(name);
        }
    }

    /// <summary>Writes a whole file system's changes to its disk.</summary>
    public static void SyncFileSystem(string folder)
    {
        using var handle = OpenRoot(folder);
        if (SyncFsNative(handle) != 0)
        {
            throw Failure(folder);
        }
    }

    private static SafeFileHandle Check(int descriptor, string name) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure(name);

    private static IOException Failure(string name)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{name}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport(Lib, EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAtNative(int folder, string name, int flags, uint mode);

    [LibraryImport(Lib, EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAtNative(SafeFileHandle folder, string name, int flags, uint mode);

    [LibraryImport(Lib, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatXNative(SafeFileHandle folder, string name, int flags, uint mask, out StatX buffer);

    [LibraryImport(Lib, EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ReadLinkAtNative(SafeFileHandle folder, string name, Span<byte> buffer, nint size);

    [LibraryImport(Lib, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameNative(string from, string to);

    [LibraryImport(Lib, EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkNative(string existing, string name);

    [LibraryImport(Lib, EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFsNative(SafeFileHandle file);
}

/// <summary>struct statx, as far as it is read.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct StatX
{
    [FieldOffset(16)]
    public readonly uint Links;

    [FieldOffset(28)]
    public readonly ushort ModeAndType;

    [FieldOffset(32)]
    public readonly ulong Inode;

    [FieldOffset(40)]
    public readonly ulong Size;

    [FieldOffset(112)]
    private readonly long _modifiedSeconds;

    [FieldOffset(120)]
    private readonly uint _modifiedNanoseconds;

    [FieldOffset(136)]
    public readonly uint DeviceMajor;

    [FieldOffset(140)]
    public readonly uint DeviceMinor;

    public int Type => ModeAndType & 0xf000;

    public bool IsFile => Type == 0x8000;

    public bool IsFolder => Type == 0x4000;

    public bool IsLink => Type == 0xa000;

    public int Mode => ModeAndType & 0xfff;

    /// <summary>To a ten-millionth of a second, which is what .NET can set again. Times that no calendar has are put to its ends.</summary>
    public DateTimeOffset Modified
    {
        get
        {
            var seconds = Math.Clamp(_modifiedSeconds, -62135596800, 253402300799);
            return DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(_modifiedNanoseconds / 100);
        }
    }
}
