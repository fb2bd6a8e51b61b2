using System.ComponentModel;
using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;

namespace Kube.Server.Runner.Processes;

/// <summary>A running program, leader of its own session and process group.</summary>
/// <remarks>
/// Its number is never signalled after it was given back to the system: the waiter sees the end without reaping (the zombie keeps the
/// number taken), ends what is left of the group and of the mark's bearers, and only then reaps, under the lock that signals take too.
/// </remarks>
internal sealed class SpawnedProcess
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _mark;
    private readonly Action<SpawnedProcess>? _ended;
    private bool _reaped;

    private SpawnedProcess(int pid, string mark, Stream stdout, Stream stderr, Action<SpawnedProcess>? ended)
    {
        Pid = pid;
        StandardOutput = stdout;
        StandardError = stderr;
        _mark = mark;
        _ended = ended;
    }

    public int Pid { get; }

    public Stream StandardOutput { get; }

    public Stream StandardError { get; }

    /// <summary>Ends when the program has ended and nothing of its group and of its descendants is left.</summary>
    public Task<ExitStatus> Exited => _exited.Task;

    /// <param name="spec">What to start.</param>
    /// <param name="mark">Value of <see cref="ProcessMark.Variable"/>.</param>
    /// <param name="ended">Called before the number is given back to the system.</param>
    /// <exception cref="SpawnException">It could not be started.</exception>
    public static SpawnedProcess Start(ProcessSpec spec, string mark, Action<SpawnedProcess>? ended = null)
    {
        var path = Executables.Find(spec.Command[0], spec.Environment.GetValueOrDefault("PATH"), spec.WorkingDirectory);
        if (!Directory.Exists(spec.WorkingDirectory))
        {
            throw new SpawnException($"the working directory {spec.WorkingDirectory} does not exist on this machine", 128);
        }

        var environment = spec.Environment.Where(e => e.Key != ProcessMark.Variable).Select(e => $"{e.Key}={e.Value}")
            .Append($"{ProcessMark.Variable}={mark}").ToList();
        if (spec.Command.Concat(environment).Any(s => s.Contains('\0', StringComparison.Ordinal)))
        {
            throw new SpawnException("command, arguments and environment cannot hold a NUL character", 128);
        }

        var output = Libc.Pipe();
        var errors = Libc.Pipe();
        var error = Libc.Spawn(path, spec.Command, environment, spec.WorkingDirectory, -1, output.Write, errors.Write, out var pid);
        Libc.Close(output.Write);
        Libc.Close(errors.Write);
        if (error != 0)
        {
            Libc.Close(output.Read);
            Libc.Close(errors.Read);
            throw new SpawnException($"exec {path}: {new Win32Exception(error).Message}", error is 2 or 20 ? 127 : 126);
        }

        var process = new SpawnedProcess(pid, mark, Reader(output.Read), Reader(errors.Read), ended);
        process.Watch();
        return process;
    }

    /// <summary>Signals the process group. False when it has ended.</summary>
    public bool Signal(int signal)
    {
        lock (_gate)
        {
            return !_reaped && Libc.Kill(-Pid, signal);
        }
    }

    /// <summary>Ends the group and everything that descends from it at once.</summary>
    public void KillAll()
    {
        lock (_gate)
        {
            if (!_reaped)
            {
                EndTheRest();
            }
        }
    }

    private void Watch()
    {
        // A thread of its own, blocked in the kernel on exactly this child: waiting for "any child" would take the exit status of
        // processes that System.Diagnostics.Process started elsewhere in this program.
        var thread = new Thread(WaitForEnd, maxStackSize: 256 * 1024) { IsBackground = true, Name = $"wait {Pid}" };
        thread.Start();
    }

    private void WaitForEnd()
    {
        _ = Libc.WaitWithoutReaping(Pid);
        _ended?.Invoke(this);
        ExitStatus status;
        lock (_gate)
        {
            EndTheRest();
            status = Libc.Reap(Pid) is { } raw ? ExitStatus.FromWait(raw) : ExitStatus.Unknown;
            _reaped = true;
        }

        _exited.TrySetResult(status);
    }

    private void EndTheRest()
    {
        _ = Libc.Kill(-Pid, Libc.SigKill);
        // More than once: a process may have forked between being listed and being ended.
        for (var pass = 0; pass < 5; pass++)
        {
            var left = ProcessMark.Find(_mark).Where(p => p != Pid).ToList();
            if (left.Count == 0)
            {
                return;
            }

            foreach (var pid in left)
            {
                _ = Libc.Kill(pid, Libc.SigKill);
            }
        }
    }

    // The anonymous pipe stream reads by epoll: no thread is blocked per container.
    private static AnonymousPipeClientStream Reader(int descriptor) =>
        new(PipeDirection.In, new SafePipeHandle(descriptor, ownsHandle: true));
}
