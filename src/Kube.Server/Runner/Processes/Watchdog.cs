using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Kube.Server.Runner.Processes;

/// <summary>
/// A small shell that reads a pipe whose other end only this host holds. When the host ends in whatever way, kill -9 included, the
/// kernel closes that end; the shell reads end of file and ends the process groups it was told of, and everything with the host's mark.
/// </summary>
/// <remarks>Lines: "+pid" and "-pid". A group is withdrawn before its number is given back to the system, so a reused one is never
/// ended.</remarks>
internal sealed class Watchdog : IDisposable
{
    // Without "&" and traps for INT/TERM the terminal's Ctrl-C would end the watchdog before the host; it also has its own session.
    // $1: mark of the host; $2: seconds between TERM and KILL. /proc is absent on macOS: there the groups alone are ended.
    private const string Script = """
        trap '' INT TERM HUP
        groups=' '
        while read -r line; do
          case $line in
            +*) groups="$groups${line#+} " ;;
            -*) p=${line#-}; groups="${groups%% $p *} ${groups#* $p }" ;;
          esac
        done
        marked() {
          grep -ls "RUNNER_CONTAINER_ID=$1" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do echo "$pid"; done
        }
        for g in $groups; do kill -TERM "-$g" 2>/dev/null; done
        for p in $(marked "$1"); do kill -TERM "$p" 2>/dev/null; done
        n=0
        while [ "$n" -lt "$2" ]; do
          alive=
          for g in $groups; do kill -0 "-$g" 2>/dev/null && alive=1; done
          [ -n "$alive" ] || [ -n "$(marked "$1")" ] || exit 0
          sleep 1
          n=$((n + 1))
        done
        for g in $groups; do kill -KILL "-$g" 2>/dev/null; done
        for p in $(marked "$1"); do kill -KILL "$p" 2>/dev/null; done
        exit 0
        """;

    private readonly Lock _gate = new();
    private readonly HashSet<int> _groups = [];
    private readonly string _instance;
    private readonly int _graceSeconds;
    private FileStream? _pipe;
    private bool _disposed;

    /// <param name="instance">Name of this life of the host, the first part of the mark.</param>
    /// <param name="graceSeconds">Between TERM and KILL. Short: nobody is there any more who could use what a program does in it.</param>
    public Watchdog(string instance, int graceSeconds = 3)
    {
        _instance = instance;
        _graceSeconds = graceSeconds;
        Start();
    }

    /// <summary>Of the shell; for tests.</summary>
    public int Pid { get; private set; }

    public void Add(int group)
    {
        lock (_gate)
        {
            _groups.Add(group);
            Send($"+{group}\n");
        }
    }

    public void Remove(int group)
    {
        lock (_gate)
        {
            if (_groups.Remove(group))
            {
                Send($"-{group}\n");
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _pipe?.Dispose();
            _pipe = null;
        }
    }

    private void Start()
    {
        var ends = Libc.Pipe();
        string[] command = ["sh", "-c", Script, "runner-watchdog", $"{_instance}.", _graceSeconds.ToString(CultureInfo.InvariantCulture)];
        var path = Environment.GetEnvironmentVariable("PATH") is { Length: > 0 } own ? own : "/usr/bin:/bin";
        using var nowhere = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);
        var sink = (int)nowhere.DangerousGetHandle();
        var error = Libc.Spawn("/bin/sh", command, [$"PATH={path}"], "/", ends.Read, sink, sink, out var pid);
        Libc.Close(ends.Read);
        if (error != 0)
        {
            Libc.Close(ends.Write);
            throw new SpawnException($"the watchdog (/bin/sh) could not be started: error {error}", 128);
        }

        Pid = pid;
        _pipe = new FileStream(new SafeFileHandle(ends.Write, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        new Thread(() => WaitAndReplace(pid), maxStackSize: 256 * 1024) { IsBackground = true, Name = "wait watchdog" }.Start();
    }

    private void WaitAndReplace(int pid)
    {
        _ = Libc.Reap(pid);
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            // Somebody killed it: a new one learns all groups.
            _pipe?.Dispose();
            Start();
            foreach (var group in _groups)
            {
                Send($"+{group}\n");
            }
        }
    }

    private void Send(string line)
    {
        try
        {
            _pipe?.Write(Encoding.ASCII.GetBytes(line));
        }
        catch (IOException)
        {
            // The shell has just died; WaitAndReplace starts another and tells it everything.
        }
    }
}
