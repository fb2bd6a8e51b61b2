using System.Runtime.InteropServices;

namespace Kube.Server.Runner.Processes;

/// <summary>The few functions of the C library that starting, signalling and reaping a process takes.</summary>
/// <remarks>
/// The opaque attribute and file action types differ in size between C libraries; <see cref="OpaqueSize"/> is larger than all of them
/// (glibc 336 bytes, musl 336, macOS one pointer).
/// </remarks>
internal static unsafe partial class Libc
{
    public const int OpaqueSize = 1024;
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int EIntr = 4;
    public const int OReadOnly = 0;

    private const int PidType = 1;
    private const int WExited = 4;
    private const short SpawnSetSigDefault = 0x04;
    private const short SpawnSetSigMask = 0x08;
    private const int CloseOnExecLinux = 0x80000;
    private const int FSetFd = 2;
    private const int FdCloseOnExec = 1;

    private static short SpawnSetSid => OperatingSystem.IsMacOS() ? (short)0x0400 : (short)0x80;

    private static int WNoWait => OperatingSystem.IsMacOS() ? 0x20 : 0x01000000;

    /// <summary>A pipe whose two ends close when any process in this host executes another program.</summary>
    public static (int Read, int Write) Pipe()
    {
        var ends = stackalloc int[2];
        var failed = OperatingSystem.IsLinux() ? pipe2(ends, CloseOnExecLinux) : pipe(ends);
        if (failed != 0)
        {
            throw new IOException($"A pipe could not be made: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        if (!OperatingSystem.IsLinux())
        {
            _ = fcntl(ends[0], FSetFd, FdCloseOnExec);
            _ = fcntl(ends[1], FSetFd, FdCloseOnExec);
        }

        return (ends[0], ends[1]);
    }

    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Gives a file, folder or link another name in one step; one of that name is replaced. A link is not followed.</summary>
    /// <exception cref="IOException">It could not be done.</exception>
    public static void Rename(string from, string to)
    {
        if (rename(from, to) != 0)
        {
            throw new IOException($"{from} could not be renamed to {to}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>Sends a signal to a process, or with a negative number to a process group. False when there is none.</summary>
    public static bool Kill(int pid, int signal) => kill(pid, signal) == 0;

    /// <summary>
    /// Blocks until the child has ended and leaves it a zombie, so that its number stays taken. False: not a child (any more).
    /// </summary>
    public static bool WaitWithoutReaping(int pid)
    {
        var info = stackalloc byte[256];
        while (waitid(PidType, pid, info, WExited | WNoWait) != 0)
        {
            if (Marshal.GetLastPInvokeError() != EIntr)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes the exit status of an ended child. Null when somebody else took it.</summary>
    public static int? Reap(int pid)
    {
        int status;
        int got;
        do
        {
            got = waitpid(pid, &status, 0);
        }
        while (got == -1 && Marshal.GetLastPInvokeError() == EIntr);

        return got == pid ? status : null;
    }

    /// <summary>
    /// Starts a program in a session of its own, with all signals at their defaults and nothing but the three standard descriptors.
    /// The C library does the work between fork and exec, so that no managed code runs there.
    /// </summary>
    /// <returns>0 or the error number. A descriptor of -1 as standard input stands for /dev/null.</returns>
    public static int Spawn(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, string? directory,
        int stdin, int stdout, int stderr, out int pid)
    {
        var attributes = stackalloc byte[OpaqueSize];
        var actions = stackalloc byte[OpaqueSize];
        var signals = stackalloc byte[OpaqueSize];
        var argv = Strings(arguments);
        var envp = Strings(environment);
        pid = 0;
        _ = posix_spawnattr_init(attributes);
        _ = posix_spawn_file_actions_init(actions);
        try
        {
            _ = posix_spawnattr_setflags(attributes, (short)(SpawnSetSid | SpawnSetSigDefault | SpawnSetSigMask));
            _ = sigemptyset(signals);
            _ = posix_spawnattr_setsigmask(attributes, signals);
            // .NET ignores SIGPIPE, and an ignored signal stays ignored across exec: every signal goes back to its default.
            _ = sigfillset(signals);
            _ = posix_spawnattr_setsigdefault(attributes, signals);
            var error = stdin < 0 ? posix_spawn_file_actions_addopen(actions, 0, "/dev/null", OReadOnly, 0)
                : posix_spawn_file_actions_adddup2(actions, stdin, 0);
            error = error != 0 ? error : posix_spawn_file_actions_adddup2(actions, stdout, 1);
            error = error != 0 ? error : posix_spawn_file_actions_adddup2(actions, stderr, 2);
            error = error != 0 ? error : CloseTheRest(actions);
            if (error == 0 && directory is not null)
            {
                error = posix_spawn_file_actions_addchdir_np(actions, directory);
            }

            var child = 0;
            error = error != 0 ? error : posix_spawn(&child, path, actions, attributes, argv, envp);
            pid = error == 0 ? child : 0;
            return error;
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
            Free(argv);
            Free(envp);
        }
    }

    // Descriptors of .NET are close-on-exec already; this is for those of native libraries. glibc 2.34 and later.
    private static int CloseTheRest(byte* actions)
    {
        if (!OperatingSystem.IsLinux()
            || !NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "posix_spawn_file_actions_addclosefrom_np",
                out var function))
        {
            return 0;
        }

        return ((delegate* unmanaged<byte*, int, int>)function)(actions, 3);
    }

    private static byte** Strings(IReadOnlyList<string> values)
    {
        var block = (byte**)NativeMemory.AllocZeroed((nuint)values.Count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < values.Count; i++)
        {
            block[i] = (byte*)Marshal.StringToCoTaskMemUTF8(values[i]);
        }

        return block;
    }

    private static void Free(byte** block)
    {
        for (var entry = block; *entry != null; entry++)
        {
            Marshal.FreeCoTaskMem((nint)(*entry));
        }

        NativeMemory.Free(block);
    }

#pragma warning disable SA1300, IDE1006 // the C library's own names
    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe(int* ends);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int type, int id, byte* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc")]
    private static partial int sigemptyset(byte* set);

    [LibraryImport("libc")]
    private static partial int sigfillset(byte* set);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte* attributes, byte* set);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte* attributes, byte* set);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(byte* actions, int from, int to);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addchdir_np(byte* actions, string path);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(int* pid, string path, byte* actions, byte* attributes, byte** argv, byte** envp);
#pragma warning restore SA1300, IDE1006
}
