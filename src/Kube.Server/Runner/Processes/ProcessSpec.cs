namespace Kube.Server.Runner.Processes;

/// <summary>What to start.</summary>
internal sealed record ProcessSpec
{
    /// <summary>Program and arguments; the program is looked up in PATH of <see cref="Environment"/> unless it holds a slash.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The whole environment: nothing of the host's own is added, except the mark that lets its descendants be found.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Must exist.</summary>
    public required string WorkingDirectory { get; init; }
}

/// <summary>A program that could not be started. The message is fit for a person.</summary>
internal sealed class SpawnException(string message, int exitCode) : Exception(message)
{
    /// <summary>As a shell says it: 127 not found, 126 not executable, 128 anything else.</summary>
    public int ExitCode { get; } = exitCode;
}
