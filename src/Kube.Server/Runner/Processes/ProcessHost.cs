namespace Kube.Server.Runner.Processes;

/// <summary>Starts processes such that none outlives this host: mark, ledger and watchdog in one place.</summary>
internal sealed class ProcessHost : IDisposable
{
    private readonly ProcessLedger _ledger;
    private readonly Watchdog _watchdog;
    private readonly string _instance = Guid.NewGuid().ToString("N");

    /// <param name="stateFolder">Where the ledger is kept. What an earlier life left must be swept first.</param>
    public ProcessHost(string stateFolder)
    {
        _ledger = new ProcessLedger(stateFolder);
        _ledger.AddInstance(_instance);
        _watchdog = new Watchdog(_instance);
    }

    /// <summary>Process of the watchdog; for tests.</summary>
    public int WatchdogPid => _watchdog.Pid;

    /// <exception cref="SpawnException">It could not be started.</exception>
    public SpawnedProcess Start(ProcessSpec spec, string containerId)
    {
        var process = SpawnedProcess.Start(spec, ProcessMark.Value(_instance, containerId), ended =>
        {
            _watchdog.Remove(ended.Pid);
            _ledger.Remove(containerId);
        });
        _watchdog.Add(process.Pid);
        _ledger.Add(containerId, process.Pid);
        if (process.Exited.IsCompleted)
        {
            // It was over before it could be written down.
            _watchdog.Remove(process.Pid);
            _ledger.Remove(containerId);
        }

        return process;
    }

    public void Dispose()
    {
        _ledger.RemoveInstance(_instance);
        _watchdog.Dispose();
    }
}
