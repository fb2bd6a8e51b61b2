using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Testing;

namespace Benchmarks.Edge;

/// <summary>A server under load in a process of its own, on one core of its own.</summary>
internal sealed class BenchProcess : IDisposable
{
    /// <summary>The core that is measured, and the one of the load and what it leads to.</summary>
    internal const int ProxyCore = 0;
    internal const int LoadCore = 1;

    private readonly Process _process;
    private readonly Task<List<string>> _said;

    private BenchProcess(Process process, int port, Task<List<string>> said) => (_process, Port, _said) = (process, port, said);

    internal int Port { get; }

    internal string Url => $"http://127.0.0.1:{Port}";

    /// <summary>Memory that the process holds now, in bytes (VmRSS).</summary>
    internal long ResidentBytes => long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) * 1024;

    /// <summary>Processor time that it has used.</summary>
    internal TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Whether this machine can keep proxy and load apart; says so if not.</summary>
    internal static async Task<bool> CanPinAsync()
    {
        if (OperatingSystem.IsLinux() && Environment.ProcessorCount >= 2 && File.Exists("/usr/bin/taskset"))
        {
            return true;
        }

        await Console.Error.WriteLineAsync("edge: needs Linux with two cores and taskset");
        return false;
    }

    // This process makes the load: off the core that is measured.
    private static void PinSelf()
    {
        using var self = Process.GetCurrentProcess();
        self.ProcessorAffinity = 1 << LoadCore;
    }

    /// <summary>What all proxies lead to, beside the load; the rest of this process then stays there too.</summary>
    internal static BenchProcess StartUpstream()
    {
        PinSelf();
        var port = LoopbackPort.Free();
        return StartOwn(LoadCore, port, BenchUpstream.Command, $"{port}");
    }

    /// <summary>Bare YARP before an upstream. It runs as .NET runs programs by default, not with what the edge sets for itself.</summary>
    internal static BenchProcess StartYarp(BenchProcess upstream)
    {
        var port = LoopbackPort.Free();
        return Start(ProxyCore, port, [.. Own(), YarpServe.Command, $"{port}", upstream.Url + "/"], new()
        {
            ["DOTNET_TC_CallCountingDelayMs"] = "64", // hexadecimal: 100 ms
        });
    }

    /// <summary>Another command of this program, on a core, with the runtime set up as the edge's.</summary>
    internal static BenchProcess StartOwn(int core, int port, params string[] arguments) => Start(core, port, [.. Own(), .. arguments]);

    private static string[] Own()
    {
        var path = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(path) == "dotnet" ? [path, typeof(BenchProcess).Assembly.Location] : [path];
    }

    /// <summary>A program, on a core; it is up when its port answers.</summary>
    internal static BenchProcess Start(int core, int port, string[] command, Dictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("taskset") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var part in (string[])["-c", $"{core}", .. command])
        {
            start.ArgumentList.Add(part);
        }

        // One processor is what it has; the runtime then does not spin for another.
        start.Environment["DOTNET_gcServer"] = "0";
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start.");
        var said = new List<string>();
        var up = new TaskCompletionSource<List<string>>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { } text)
            {
                said.Add(text);
                if (text.StartsWith("serving ", StringComparison.Ordinal))
                {
                    up.TrySetResult(said);
                }
            }
        };
        var errors = new List<string>();
        process.ErrorDataReceived += (_, line) => errors.Add(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var started = TimeProvider.System.GetTimestamp();
        while (!Answers(port))
        {
            if (process.HasExited || TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(60))
            {
                throw new InvalidOperationException($"{string.Join(' ', command)} did not come up: {string.Join('\n', errors.Concat(said).TakeLast(10))}");
            }

            Thread.Sleep(50);
        }

        return new BenchProcess(process, port, up.Task);
    }

    /// <summary>What one of ours printed until it served: the rest of the line with the word.</summary>
    internal async Task<string> SaidAsync(string word)
    {
        var lines = await _said;
        return lines.First(l => l.StartsWith(word + " ", StringComparison.Ordinal))[(word.Length + 1)..];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static bool Answers(int port)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
