using System.Diagnostics;
using Testing;

namespace Kube.Server.Tests.Http;

/// <summary>One real kubectl with a kubeconfig and a cache of its own.</summary>
public sealed class Kubectl : IDisposable
{
    private readonly string _binary;

    public Kubectl(string binary)
    {
        _binary = binary;
    }

    /// <summary>A folder for manifests.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("kubectl-").FullName;

    private string Config => Path.Combine(Folder, "config");

    /// <summary>The kubectl on PATH and the others beside it (<c>kubectl.1.27</c> and so on), under the names of their files.</summary>
    public static IReadOnlyDictionary<string, string> All()
    {
        if (Tools.Kubectl is not { } found)
        {
            return new Dictionary<string, string>();
        }
        var real = new FileInfo(found).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? found;
        return Directory.GetFiles(Path.GetDirectoryName(real)!, "kubectl*")
            .Where(f => Path.GetFileName(f) == Path.GetFileName(real) || f.Contains("kubectl.1.", StringComparison.Ordinal))
            .ToDictionary(f => Path.GetFileName(f), f => f);
    }

    public Task ConnectAsync(KubeServer server) => server.WriteKubeconfigAsync(Config);

    public string Write(string name, string content)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>Starts it; arguments are separated by spaces.</summary>
    public Process Start(string arguments, string editor = "false")
    {
        var start = new ProcessStartInfo(_binary, ["--kubeconfig", Config, "--cache-dir", Folder + "/cache", .. arguments.Split(' ')])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KUBE_EDITOR"] = editor;
        return Process.Start(start)!;
    }

    /// <summary>Runs it to its end and gives its output.</summary>
    public async Task<string> RunAsync(string arguments, int expected = 0, string editor = "false")
    {
        using var process = Start(arguments, editor);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(process.ExitCode == expected, $"kubectl {arguments}: exit {process.ExitCode}\n{await output}\n{await errors}");
        return await output;
    }

    /// <summary>Reads lines until one holds all of these words.</summary>
    public static async Task<string> LineAsync(Process process, params string[] words)
    {
        var seen = new List<string>();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) is { } line)
        {
            seen.Add(line);
            if (words.All(w => line.Contains(w, StringComparison.Ordinal)))
            {
                return line;
            }
        }
        throw new InvalidOperationException($"no line with {string.Join(" and ", words)} in:\n{string.Join("\n", seen)}");
    }

    public static void End(Process process)
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
