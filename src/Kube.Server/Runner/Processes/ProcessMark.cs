namespace Kube.Server.Runner.Processes;

/// <summary>
/// A variable in the environment of every process that the runner starts. Descendants inherit it, also those that made a session of
/// their own (a terminal, a daemon) and so left the process group: it is what stands in for a container's process namespace.
/// </summary>
internal static class ProcessMark
{
    public const string Variable = "RUNNER_CONTAINER_ID";

    /// <param name="instance">Names one life of the host.</param>
    /// <param name="containerId">Names the container.</param>
    public static string Value(string instance, string containerId) => $"{instance}.{containerId}";

    /// <summary>
    /// Processes whose environment holds the mark with a value that begins so. Those of other users cannot be read and are skipped.
    /// </summary>
    public static IEnumerable<int> Find(string valuePrefix)
    {
        if (!Directory.Exists("/proc"))
        {
            yield break;
        }

        var needle = System.Text.Encoding.UTF8.GetBytes($"{Variable}={valuePrefix}");
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var pid) && pid != Environment.ProcessId && Holds(folder, needle))
            {
                yield return pid;
            }
        }
    }

    private static bool Holds(string folder, byte[] needle)
    {
        try
        {
            var text = File.ReadAllBytes($"{folder}/environ");
            var at = text.AsSpan().IndexOf(needle);
            return at == 0 || (at > 0 && text[at - 1] == 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
