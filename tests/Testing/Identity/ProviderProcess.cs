using System.Diagnostics;

namespace Testing;

/// <summary>Starts somebody else's OpenID Provider (<see cref="Tools.OpenIdProvider"/>): variables set it, and it says <c>ready</c>.</summary>
public static class ProviderProcess
{
    /// <summary>Starts it and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public static async Task<Process> StartAsync(IReadOnlyDictionary<string, string> settings)
    {
        var info = new ProcessStartInfo(Tools.OpenIdProvider!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in settings)
        {
            info.Environment[name] = value;
        }

        var process = Process.Start(info)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                // Read on, so that it does not block at a full pipe.
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return process;
            }
        }

        throw new InvalidOperationException($"The OpenID Provider did not start: is port {settings["PORT"]} free?");
    }
}
