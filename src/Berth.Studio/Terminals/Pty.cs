using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Berth.Studio.Terminals;

/// <summary>What is to run in a terminal.</summary>
internal sealed record PtyStart
{
    /// <summary>The program's path.</summary>
    public required string Program { get; init; }

    /// <summary>Its arguments, from the zeroth on.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Its whole environment, as NAME=value.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    /// <summary>Its working folder.</summary>
    public required string Folder { get; init; }

    /// <summary>The window.</summary>
    public required TerminalSize Size { get; init; }
}

/// <summary>The size of a terminal in characters.</summary>
internal readonly record struct TerminalSize(ushort Columns, ushort Rows);

/// <summary>
/// A pseudo-terminal and the process in it. The process is started by posix_spawn, which is safe in a program of many threads where fork is
/// not: POSIX_SPAWN_SETSID makes it leader of a new session, and the file action that then opens the terminal's slave as descriptor 0 makes
/// that its controlling terminal, as Linux does for a session leader that has none.
/// </summary>
internal static class Pty
{
    private const short SpawnSetSigDef = 0x04;
    private const short SpawnSetSigMask = 0x08;
    private const short SpawnSetSid = 0x80;

    /// <summary>TIOCSWINSZ on x64 and arm64.</summary>
    private const nuint SetWindowSize = 0x5414;

    /// <summary>More than posix_spawnattr_t (336 bytes) and posix_spawn_file_actions_t (80) need in glibc and musl.</summary>
    private const int OpaqueBytes = 1024;

    /// <summary>Opens a pseudo-terminal.</summary>
    /// <returns>The master's descriptor (non-blocking) and the slave's path.</returns>
    /// <exception cref="IOException">The system has none to give.</exception>
    public static (SafeFileHandle Master, string SlavePath) Open()
    {
        var fd = Libc.PosixOpenPt(Libc.ORdwr | Libc.ONoctty | Libc.OCloexec | Libc.ONonblock);
        if (fd < 0)
        {
            throw Failed("A pseudo-terminal cannot be opened");
        }

        var master = new SafeFileHandle(fd, ownsHandle: true);
        Span<byte> name = stackalloc byte[128];
        if (Libc.GrantPt(master) != 0 || Libc.UnlockPt(master) != 0 || Libc.PtsName(master, name, (nuint)name.Length) != 0)
        {
            master.Dispose();
            throw Failed("The pseudo-terminal cannot be prepared");
        }

        return (master, Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]));
    }

    /// <summary>Tells the terminal, and by SIGWINCH the program in it, its size.</summary>
    public static void Resize(SafeFileHandle master, TerminalSize size) =>
        _ = Libc.Ioctl(master, SetWindowSize, new Libc.WindowSize { Rows = size.Rows, Columns = size.Columns });

    /// <summary>Starts the program on the slave.</summary>
    /// <returns>Its process number, which is its session's and its group's too.</returns>
    /// <exception cref="IOException">It cannot be started.</exception>
    public static unsafe int Spawn(string slavePath, PtyStart start)
    {
        var strings = new List<nint>();
        nint Text(string value)
        {
            var pointer = Marshal.StringToCoTaskMemUTF8(value);
            strings.Add(pointer);
            return pointer;
        }

        nint Vector(IReadOnlyList<string> values)
        {
            var vector = (nint*)Marshal.AllocCoTaskMem((values.Count + 1) * sizeof(nint));
            strings.Add((nint)vector);
            for (var i = 0; i < values.Count; i++)
            {
                vector[i] = Text(values[i]);
            }

            vector[values.Count] = 0;
            return (nint)vector;
        }

        var actions = stackalloc byte[OpaqueBytes];
        var attributes = stackalloc byte[OpaqueBytes];
        var noSignals = stackalloc byte[128];
        var allSignals = stackalloc byte[128];
        new Span<byte>(noSignals, 128).Clear();
        new Span<byte>(allSignals, 128).Fill(0xff);
        Require(Libc.FileActionsInit((nint)actions));
        Require(Libc.SpawnAttrInit((nint)attributes));
        try
        {
            Require(Libc.FileActionsAddOpen((nint)actions, 0, Text(slavePath), Libc.ORdwr, 0));
            Require(Libc.FileActionsAddDup2((nint)actions, 0, 1));
            Require(Libc.FileActionsAddDup2((nint)actions, 0, 2));
            Require(Libc.FileActionsAddChdir((nint)actions, Text(start.Folder)));

            // The runtime ignores SIGPIPE and masks some signals; a shell must not inherit that.
            Require(Libc.SpawnAttrSetFlags((nint)attributes, SpawnSetSid | SpawnSetSigDef | SpawnSetSigMask));
            Require(Libc.SpawnAttrSetSigDefault((nint)attributes, (nint)allSignals));
            Require(Libc.SpawnAttrSetSigMask((nint)attributes, (nint)noSignals));
            var error = Libc.PosixSpawn(
                out var pid,
                Text(start.Program),
                (nint)actions,
                (nint)attributes,
                Vector(start.Arguments),
                Vector(start.Environment)
            );
            return error == 0 ? pid : throw new IOException($"{start.Program} cannot be started: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
        finally
        {
            _ = Libc.FileActionsDestroy((nint)actions);
            _ = Libc.SpawnAttrDestroy((nint)attributes);
            strings.ForEach(Marshal.FreeCoTaskMem);
        }
    }

    private static void Require(int error)
    {
        if (error != 0)
        {
            throw new IOException($"A process cannot be prepared: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
    }

    private static IOException Failed(string what) => new($"{what}: {Marshal.GetLastPInvokeErrorMessage()}.");
}
