using System.Diagnostics;
using Testing;

namespace Berth.Installed.Tests;

/// <summary>What a program printed, and how it ended.</summary>
internal sealed record Printed(int Code, string Output, string Error)
{
    /// <summary>The output, where it ended well.</summary>
    public string Good(string what) =>
        Code == 0 ? Output : throw new InvalidOperationException($"{what} ended with {Code}: {Error}{Output}");
}

/// <summary>Programs of this machine.</summary>
internal static class Shell
{
    /// <summary>Runs a program to its end.</summary>
    public static async Task<Printed> RunAsync(
        string program, IEnumerable<string> arguments, string? input = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Given.Repository,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return new Printed(process.ExitCode, await output, await error);
    }

    /// <summary>kubectl as an administrator of the cluster.</summary>
    public static Task<Printed> TryKubectlAsync(string? input, params string[] arguments) =>
        RunAsync(Tools.Kubectl!, [$"--kubeconfig={Tools.Kubeconfig}", .. arguments], input);

    /// <summary>The same, for what has to work.</summary>
    public static async Task<string> KubectlAsync(params string[] arguments) =>
        (await TryKubectlAsync(null, arguments)).Good("kubectl " + string.Join(' ', arguments));
}
