using System.Diagnostics;
using Kube.Server.Runner.Processes;

namespace Kube.Server.Tests.Runner;

public sealed class NothingLeftBehindTests : IDisposable
{
    private const int SigStop = 19;
    private readonly string _data = Directory.CreateTempSubdirectory("runner-host-").FullName;
    private readonly List<Process> _hosts = [];

    [Fact]
    public async Task HostKilled_WatchdogEndsEverything()
    {
        var (host, watchdog, mark) = await StartHostAsync();

        host.Kill();

        await WaitAsync(() => Processes.With($"sleep {mark}").Count == 0 && !Alive(watchdog), "processes and watchdog gone");
    }

    [Fact]
    public async Task HostAndWatchdogGone_NextStartSweeps()
    {
        var (host, watchdog, mark) = await StartHostAsync();
        Libc.Kill(watchdog, SigStop);
        host.Kill();
        await host.WaitForExitAsync();
        Assert.Equal(2, Processes.With($"sleep {mark}").Count);

        // Three: the shell and its two descendants, one of them in another session.
        var found = await new ProcessLedger(Path.Combine(_data, "runner", "processes"))
            .SweepAsync(TimeSpan.FromMilliseconds(300), TimeProvider.System, default);

        Libc.Kill(watchdog, Libc.SigKill);
        Assert.Equal(3, found);
        Assert.Empty(Processes.With($"sleep {mark}"));
    }

    [Fact]
    public async Task WatchdogKilled_IsReplacedAndKnowsAll()
    {
        var (host, watchdog, mark) = await StartHostAsync();
        Libc.Kill(watchdog, Libc.SigKill);
        await WaitAsync(() => Watchdogs(host.Id).Count == 1 && !Watchdogs(host.Id).Contains(watchdog), "another watchdog");

        host.Kill();

        await WaitAsync(() => Processes.With($"sleep {mark}").Count == 0, "processes gone");
    }

    [Fact]
    public async Task Sweep_ReusedProcessNumber_IsLeftAlone()
    {
        using var innocent = Process.Start("sleep", "1000");
        var folder = Path.Combine(_data, "ledger");
        var ledger = new ProcessLedger(folder);
        ledger.Add("c", innocent.Id);
        var entry = await File.ReadAllTextAsync(Path.Combine(folder, "c"));
        var identity = ProcIdentity.Of(innocent.Id)!.Value;
        await File.WriteAllTextAsync(Path.Combine(folder, "c"), entry.Replace(identity.StartTime, "1", StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(folder, "d"), entry.Replace(identity.Boot, "other-boot", StringComparison.Ordinal));

        var found = await ledger.SweepAsync(TimeSpan.Zero, TimeProvider.System, default);

        Assert.Equal(0, found);
        Assert.False(innocent.HasExited);
        Assert.Empty(Directory.GetFiles(folder));
        innocent.Kill();
    }

    [Fact]
    public async Task Start_BesideSystemDiagnosticsProcess_NeitherTakesTheOthersExit()
    {
        using var host = new ProcessHost(Path.Combine(_data, "both"));
        for (var i = 0; i < 10; i++)
        {
            using var theirs = Process.Start("sh", ["-c", "exit 5"]);
            var ours = host.Start(new ProcessSpec
            {
                Command = ["sh", "-c", "exit 6"],
                Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" },
                WorkingDirectory = "/",
            }, Guid.NewGuid().ToString());

            Assert.Equal(6, (await ours.Exited.WaitAsync(TimeSpan.FromSeconds(30))).Code);
            await theirs.WaitForExitAsync();
            Assert.Equal(5, theirs.ExitCode);
        }
    }

    public void Dispose()
    {
        foreach (var host in _hosts)
        {
            if (!host.HasExited)
            {
                host.Kill();
            }

            host.Dispose();
        }

        var pods = Path.Combine(_data, "runner", "pods");
        foreach (var pod in Directory.Exists(pods) ? Directory.GetDirectories(pods) : [])
        {
            Kube.Server.Runner.PodTemp.Remove(pod);
        }

        Directory.Delete(_data, recursive: true);
    }

    private async Task<(Process Host, int Watchdog, string Mark)> StartHostAsync()
    {
        var mark = Random.Shared.Next(100_000_000, 900_000_000).ToString();
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(dotnet, [typeof(HostProgram).Assembly.Location, _data, mark]) { RedirectStandardOutput = true };
        var host = Process.Start(start)!;
        _hosts.Add(host);
        var line = await host.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (host, int.Parse(line!), mark);
    }

    private static List<int> Watchdogs(int host) =>
        [.. Directory.GetDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), out _)).Where(f => IsWatchdogOf(f, host))
            .Select(f => int.Parse(Path.GetFileName(f)))];

    private static bool IsWatchdogOf(string folder, int host)
    {
        try
        {
            var stat = File.ReadAllText($"{folder}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] != "Z" && fields[1] == $"{host}"
                && File.ReadAllText($"{folder}/cmdline").Contains("runner-watchdog", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool Alive(int pid) => ProcIdentity.Of(pid) is not null;

    private static async Task WaitAsync(Func<bool> condition, string what)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(60), what);
            await Task.Delay(50);
        }
    }
}
