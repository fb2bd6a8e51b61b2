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
        // A process may be over before it is written down; then it must not be written down at all, for its number can be another's soon.
        var gate = new Lock();
        var over = false;
        var process = SpawnedProcess.Start(spec, ProcessMark.Value(_instance, containerId), ended =>
        {
            lock (gate)
            {
                over = true;
                _watchdog.Remove(ended.Pid);
                _ledger.Remove(containerId);
            }
        });
        lock (gate)
        {
            if (!over)
            {
                _watchdog.Add(process.Pid);
                _ledger.Add(containerId, process.Pid);
            }
        }

        return process;
    }

    public void Dispose()
    {
        _ledger.RemoveInstance(_instance);
        _watchdog.Dispose();
    }
}
