using System.Runtime.InteropServices;

namespace Berth.Studio.Terminals;

/// <summary>How a process ended.</summary>
/// <param name="Code">Its exit code; 128 + the signal when a signal ended it, as shells say it.</param>
/// <param name="Signal">The signal, or null.</param>
internal readonly record struct ExitStatus(int Code, int? Signal)
{
    /// <summary>Reads the status word of waitpid.</summary>
    public static ExitStatus FromWait(int status) =>
        (status & 0x7f) is var signal and not 0 ? new ExitStatus(128 + signal, signal) : new ExitStatus((status >> 8) & 0xff, null);
}

/// <summary>
/// Collects the exit of the processes that were started here, on SIGCHLD. As process 1 of a container it collects every orphan too:
/// nobody else does, and they would stay as zombies.
/// </summary>
/// <remarks>
/// Signals are sent under the same lock under which processes are collected, so that a signal cannot reach a stranger who got the number of
/// a process that has just gone.
/// </remarks>
internal sealed class ChildReaper : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Action<ExitStatus>> _children = [];
    private readonly PosixSignalRegistration _registration;
    private readonly bool _isInit = Environment.ProcessId == 1;

    public ChildReaper()
    {
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => Reap());
    }

    /// <summary>Starts a process and watches it; nothing is collected between the two.</summary>
    /// <param name="start">Starts it and returns its number.</param>
    /// <param name="exited">Called once, on any thread, when it has ended.</param>
    public int Start(Func<int> start, Action<ExitStatus> exited)
    {
        int pid;
        lock (_gate)
        {
            pid = start();
            _children[pid] = exited;
        }

        // It may have ended, and its signal may have come, before it was in the table.
        Reap();
        return pid;
    }

    /// <summary>Signals the process group of a process that was started here, while that has not ended.</summary>
    public void SignalGroup(int pid, int signal)
    {
        lock (_gate)
        {
            if (_children.ContainsKey(pid))
            {
                _ = Libc.Kill(-pid, signal);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _registration.Dispose();

    private void Reap()
    {
        var ended = new List<(Action<ExitStatus> Exited, ExitStatus Status)>();
        lock (_gate)
        {
            if (_isInit)
            {
                while (Libc.WaitPid(-1, out var status, Libc.WNoHang) is var pid and > 0)
                {
                    Collect(pid, status, ended);
                }
            }
            else
            {
                foreach (var pid in _children.Keys.ToList())
                {
                    if (Libc.WaitPid(pid, out var status, Libc.WNoHang) == pid)
                    {
                        Collect(pid, status, ended);
                    }
                }
            }
        }

        foreach (var (exited, status) in ended)
        {
            exited(status);
        }
    }

    private void Collect(int pid, int status, List<(Action<ExitStatus> Exited, ExitStatus Status)> ended)
    {
        if (_children.Remove(pid, out var exited))
        {
            ended.Add((exited, ExitStatus.FromWait(status)));
        }
    }
}
