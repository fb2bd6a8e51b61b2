using System.Globalization;
using System.Runtime.InteropServices;

namespace Berth.EndToEnd;

/// <summary>Processes as /proc shows them.</summary>
internal static partial class Processes
{
    public const int Interrupt = 2;
    public const int KillSignal = 9;

    public static bool Signal(int pid, int signal) => Kill(pid, signal) == 0;

    /// <summary>Running processes whose environment or command line names a folder: all that one Berth started, orphans too.</summary>
    public static IReadOnlyList<(int Pid, string Command)> Touching(string folder)
    {
        var found = new List<(int, string)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (
                !int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                || pid == Environment.ProcessId
            )
            {
                continue;
            }

            try
            {
                var state = File.ReadAllText(directory + "/stat");
                var command = File.ReadAllText(directory + "/cmdline").Replace('\0', ' ');
                var zombie = state[(state.LastIndexOf(')') + 2)..].StartsWith('Z');
                if (
                    !zombie
                    && (command + File.ReadAllText(directory + "/environ") + new FileInfo(directory + "/cwd").LinkTarget).Contains(
                        folder,
                        StringComparison.Ordinal
                    )
                )
                {
                    found.Add((pid, command));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked.
            }
        }

        return found;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
