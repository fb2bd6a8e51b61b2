using System.Text;

namespace Kube.Server.Runner.Processes;

/// <summary>Runs a command beside a container, with its environment and folder: exec probes and preStop hooks.</summary>
internal static class ContainerExec
{
    // A kubelet keeps as much of a probe's output.
    private const int MaxOutput = 10 * 1024;

    /// <returns>Exit code and the beginning of what it wrote. When cancelled, the command is ended.</returns>
    public static async Task<(int Code, string Output)> RunAsync(
        ProcessHost host, ProcessSpec container, IReadOnlyList<string> command, string containerId, CancellationToken cancellationToken)
    {
        SpawnedProcess process;
        try
        {
            process = host.Start(container with { Command = command }, $"{containerId}.{Guid.NewGuid():N}");
        }
        catch (SpawnException error)
        {
            return (error.ExitCode, error.Message);
        }

        var output = new StringBuilder();
        var pumps = Task.WhenAll(PumpAsync(process.StandardOutput, output), PumpAsync(process.StandardError, output));
        await using var registration = cancellationToken.Register(process.KillAll);
        var status = await process.Exited;
        await pumps;
        cancellationToken.ThrowIfCancellationRequested();
        lock (output)
        {
            return (status.Code, output.ToString().Trim());
        }
    }

    private static async Task PumpAsync(Stream stream, StringBuilder output)
    {
        var buffer = new byte[4096];
        await using (stream)
        {
            int read;
            while ((read = await stream.ReadAsync(buffer)) > 0)
            {
                lock (output)
                {
                    output.Append(Encoding.UTF8.GetString(buffer, 0, Math.Min(read, MaxOutput - Math.Min(MaxOutput, output.Length))));
                }
            }
        }
    }
}
