namespace Kube.Server.Runner.Processes;

/// <summary>How a process ended.</summary>
/// <param name="Code">As a container runtime reports it: the exit code, or 128 + the signal's number; 255 when it cannot be known.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
internal readonly record struct ExitStatus(int Code, int Signal)
{
    /// <summary>Somebody else reaped the process (the host was started with SIGCHLD ignored).</summary>
    public static ExitStatus Unknown => new(255, 0);

    /// <summary>From the status of waitpid(2).</summary>
    public static ExitStatus FromWait(int status)
    {
        var signal = status & 0x7f;
        return signal == 0 ? new ExitStatus((status >> 8) & 0xff, 0) : new ExitStatus(128 + signal, signal);
    }
}
