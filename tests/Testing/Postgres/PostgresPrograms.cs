using System.Diagnostics;

namespace Testing;

/// <summary>PostgreSQL's programs, and how tests run them: as the user postgres where the test runs as root, which they refuse.</summary>
internal static class PostgresPrograms
{
    /// <summary>The folder that has all of these, the newest version first; null where there is none.</summary>
    public static string? Find(params string[] programs)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).ToList();
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            var versions = Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal);
            folders.AddRange(versions.Select(d => Path.Combine(d, "bin")));
        }

        return folders.FirstOrDefault(f => programs.All(p => File.Exists(Path.Combine(f, p))));
    }

    /// <summary>A command by the server's user.</summary>
    public static ProcessStartInfo AsServer(params string[] command) =>
        AsMe(Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", .. command] : command);

    /// <summary>A command by whoever runs the test.</summary>
    public static ProcessStartInfo AsMe(params string[] command)
    {
        var info = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        info.Environment["LC_ALL"] = "C";
        return info;
    }

    /// <summary>Waits until the server of a data folder takes connections.</summary>
    /// <returns>False when it ended, or took more than a minute.</returns>
    public static bool WaitUntilReady(Process server, string data)
    {
        var pidFile = Path.Combine(data, "postmaster.pid");
        return SpinWait.SpinUntil(() => server.HasExited || IsReady(pidFile), TimeSpan.FromSeconds(60)) && !server.HasExited;
    }

    private static bool IsReady(string pidFile)
    {
        try
        {
            var lines = File.ReadAllLines(pidFile);
            Thread.Sleep(5);
            return lines.Length >= 8 && lines[7].StartsWith("ready", StringComparison.Ordinal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
