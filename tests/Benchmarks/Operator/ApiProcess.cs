using System.Diagnostics;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Benchmarks.Operator;

/// <summary>The embedded API in a process of its own, so that what it needs is not counted as the operator's.</summary>
internal sealed class ApiProcess : IAsyncDisposable
{
    internal const string Command = "kube-server";

    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private ApiProcess(Process process, DirectoryInfo folder, string kubeconfig)
    {
        _process = process;
        _folder = folder;
        Kubeconfig = kubeconfig;
    }

    internal string Kubeconfig { get; }

    /// <summary>Processor time that it has used.</summary>
    internal TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    internal static async Task<ApiProcess> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("berth-bench-");
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList = { },
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ApiProcess).Assembly.Location);
        }

        start.ArgumentList.Add(Command);
        start.ArgumentList.Add(folder.FullName);
        var process = Process.Start(start) ?? throw new InvalidOperationException("The API's process did not start.");
        var file = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The API's process ended at once.");
        return new ApiProcess(process, folder, await File.ReadAllTextAsync(file));
    }

    /// <summary>What the child process does: serve until its input ends, which it does with its parent.</summary>
    internal static async Task ServeAsync(string folder)
    {
        await using var server = await KubeServer.StartAsync(
            new KubeServerOptions { DataDirectory = folder, FlushToDisk = false }, NullLoggerFactory.Instance, TimeProvider.System);
        var file = Path.Combine(folder, "bench.kubeconfig");
        await File.WriteAllTextAsync(file, server.Kubeconfig);
        Console.WriteLine(file);
        while (await Console.In.ReadLineAsync() is not null)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
