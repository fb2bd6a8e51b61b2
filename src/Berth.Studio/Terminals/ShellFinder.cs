using System.Security.Cryptography;
using System.Text;
using Berth.Studio.Hosting;

namespace Berth.Studio.Terminals;

/// <summary>Which shell runs in a terminal, with which environment; and, at the end, what came of it.</summary>
internal sealed class ShellFinder(StudioOptions options, IReadOnlyDictionary<string, string> environment)
{
    /// <summary>Marks every process that descends from a terminal, in its environment, where also a daemon keeps it.</summary>
    private const string Marker = "STUDIO_TERMINAL_HOST";

    /// <summary>
    /// What concerns this program and not the person: PORT would send their own server to a port that is taken, the runtime's switches
    /// would change their own programs, and the identity variables are of no use to them.
    /// </summary>
    private static readonly string[] NotForShells =
    [
        "PORT",
        "DOTNET_",
        "ASPNETCORE_",
        "STUDIO_",
        "WORKSPACE_IDENTITY_",
        "COLUMNS",
        "LINES",
    ];

    private readonly string _mark = Marker + "=" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>What to start.</summary>
    public PtyStart Describe(TerminalSize size)
    {
        var shell =
            new[] { environment.GetValueOrDefault("SHELL"), "/bin/bash", "/bin/sh" }.FirstOrDefault(s =>
                s is { Length: > 0 } && IsExecutable(s)
            )
            ?? throw new IOException("there is neither $SHELL nor /bin/bash nor /bin/sh");
        var variables = environment
            .Where(v => !NotForShells.Any(n => n.EndsWith('_') ? v.Key.StartsWith(n, StringComparison.Ordinal) : v.Key == n))
            .ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);
        foreach (var (name, value) in new WorkspaceInfo(options.InfoFolder).Variables())
        {
            variables.TryAdd(name, value);
        }

        variables["TERM"] = "xterm-256color";
        variables["COLORTERM"] = "truecolor";
        variables["SHELL"] = shell;
        if (variables.GetValueOrDefault("HOME") is not { Length: > 1 } home || !IsWritable(home))
        {
            variables["HOME"] = options.Root;
        }

        if (!variables.ContainsKey("LC_ALL") && !variables.ContainsKey("LANG"))
        {
            variables["LANG"] = "C.UTF-8";
        }

        return new PtyStart
        {
            Program = shell,
            Arguments = [Path.GetFileName(shell)],
            Environment = [.. variables.Select(v => v.Key + "=" + v.Value), _mark],
            Folder = options.Root,
            Size = size,
        };
    }

    /// <summary>Ends every process that descends from a terminal: hang-up, then, for those that stay a second, kill.</summary>
    public async Task EndDescendantsAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 11; attempt++)
        {
            var left = Descendants();
            if (left.Count == 0)
            {
                return;
            }

            left.ForEach(pid => _ = Libc.Kill(pid, attempt == 10 ? Libc.SigKill : Libc.SigHup));
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        }
    }

    /// <summary>The numbers of the processes that carry the mark. Where /proc is hidden, none.</summary>
    internal List<int> Descendants()
    {
        var found = new List<int>();
        var mark = Encoding.UTF8.GetBytes(_mark);
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid))
            {
                continue;
            }

            try
            {
                if (File.ReadAllBytes(folder + "/environ").AsSpan().IndexOf(mark) >= 0)
                {
                    found.Add(pid);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or belongs to somebody else and so cannot be ours.
            }
        }

        return found;
    }

    private static bool IsExecutable(string path)
    {
        try
        {
            return Path.IsPathFullyQualified(path)
                && File.Exists(path)
                && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsWritable(string folder) => Directory.Exists(folder) && Libc.Access(folder, Libc.WOk) == 0;
}
