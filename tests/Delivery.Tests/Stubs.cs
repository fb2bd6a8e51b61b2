using System.Diagnostics;
using System.Runtime.Versioning;
using Testing;

namespace Delivery.Tests;

/// <summary>A folder of programs that write down how they were called, and a PATH on which there is nothing but them and the usual small tools.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Stubs : IDisposable
{
    private static readonly string[] Tools =
    [
        "bash", "sh", "sed", "awk", "grep", "sort", "head", "cut", "tr", "cat", "rm", "mktemp", "dirname", "basename", "sleep", "env", "git", "ls", "id", "mkdir", "touch", "chmod", "tar", "cp",
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-stubs-");

    public Stubs()
    {
        Directory.CreateDirectory(In("bin"));
        Directory.CreateDirectory(In("tools"));
        foreach (var tool in Tools)
        {
            var real = new[] { "/usr/bin", "/bin", "/usr/local/bin" }.Select(d => Path.Combine(d, tool)).FirstOrDefault(File.Exists)
                ?? throw new InvalidOperationException($"{tool} is not on this machine.");
            File.CreateSymbolicLink(In($"bin/{tool}"), real);
        }
    }

    public IReadOnlyList<string> Calls => File.Exists(In("calls")) ? File.ReadAllLines(In("calls")) : [];

    public string In(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Adds a program; its body sees its arguments as <c>$*</c>.</summary>
    public Stubs Add(string name, string body = "", string folder = "bin")
    {
        var path = In($"{folder}/{name}");
        File.WriteAllText(path, $"#!/bin/bash\necho \"{name} $*\" >> '{In("calls")}'\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return this;
    }

    /// <summary>Runs a script of the checkout.</summary>
    public async Task<(int Code, string Output, string Errors)> RunAsync(
        string script, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Checkout.Path(script.Split('/')), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.FullName,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = In("bin");
        start.Environment["HOME"] = _folder.FullName;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, errors);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
