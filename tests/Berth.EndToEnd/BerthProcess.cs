using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Berth.EndToEnd;

/// <summary>Berth as `make run` starts it: one process, known by its output, its ports and its folder.</summary>
internal sealed partial class BerthProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private BerthProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public string Output => string.Join('\n', _output);

    public int ExitCode => _process.ExitCode;

    public static string Program { get; } =
        typeof(BerthProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "BerthLocal").Value!;

    public static BerthProcess Start(IReadOnlyDictionary<string, string> environment)
    {
        var info = new ProcessStartInfo("dotnet", [Program]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in new[] { "PORT", "IDP_PORT", "KUBE_PORT", "KUBECONFIG" })
        {
            info.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        var berth = new BerthProcess(new Process { StartInfo = info, EnableRaisingEvents = true });
        berth._process.OutputDataReceived += (_, line) => berth.Read(line.Data);
        berth._process.ErrorDataReceived += (_, line) => berth.Read(line.Data);
        berth._process.Exited += (_, _) =>
            berth._ready.TrySetException(new InvalidOperationException($"Berth ended before it was ready:\n{berth.Output}"));
        berth._process.Start();
        berth._process.BeginOutputReadLine();
        berth._process.BeginErrorReadLine();
        return berth;
    }

    /// <summary>Waits for the ready line and returns it.</summary>
    public async Task<string> ReadyAsync()
    {
        try
        {
            return await _ready.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Berth was not ready after {Patience}:\n{Output}");
        }
    }

    public Task InterruptAsync() => SignalAsync(Processes.Interrupt);

    public Task KillAsync() => SignalAsync(Processes.KillSignal);

    public async Task ExitAsync() => await _process.WaitForExitAsync().WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await InterruptAsync();
        }

        _process.Dispose();
    }

    private async Task SignalAsync(int signal)
    {
        Processes.Signal(_process.Id, signal);
        await ExitAsync();
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        _output.Enqueue(line);
        if (ReadyLine().IsMatch(line))
        {
            _ready.TrySetResult(line);
        }
    }

    [GeneratedRegex(@"^Berth is ready: http://localhost:\d+")]
    private static partial Regex ReadyLine();
}
