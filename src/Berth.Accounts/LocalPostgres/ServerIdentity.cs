using System.Diagnostics;

namespace Berth.Accounts;

/// <summary>
/// How to run PostgreSQL's programs so that they accept it: they refuse to run as root. As another user the programs are put behind a
/// prefix command; the data stays where the caller wants it.
/// </summary>
/// <param name="Prefix">Command and arguments to put before the program; empty to run it as it is.</param>
/// <param name="ChangesOwner">The user to give the folders to; null when they stay with us.</param>
internal sealed record ServerIdentity(IReadOnlyList<string> Prefix, string? ChangesOwner)
{
    /// <summary>
    /// Finds a way. Not root: nothing to do. Root: a user namespace in which we are an ordinary user (nothing changes its owner, and a data
    /// folder below a private home works); where those are switched off, the user postgres or nobody by setpriv.
    /// </summary>
    /// <returns>Null, with a reason, when there is none.</returns>
    public static async Task<(ServerIdentity? Identity, string? Reason)> FindAsync(CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return (new ServerIdentity([], null), null);
        }

        var user = FindUser();
        if (user is not { } found)
        {
            return (null, "PostgreSQL does not run as root and the machine has neither a user postgres nor nobody");
        }

        string[] inNamespace = ["unshare", "--user", $"--map-user={found.Uid}", $"--map-group={found.Gid}"];
        if (await SucceedsAsync([.. inNamespace, "true"], cancellationToken).ConfigureAwait(false))
        {
            return (new ServerIdentity(inNamespace, null), null);
        }

        string[] asUser = ["setpriv", $"--reuid={found.Uid}", $"--regid={found.Gid}", "--clear-groups"];
        return await SucceedsAsync([.. asUser, "true"], cancellationToken).ConfigureAwait(false)
            ? (new ServerIdentity(asUser, $"{found.Uid}:{found.Gid}"), null)
            : (null, "PostgreSQL does not run as root and neither unshare nor setpriv can run it as another user");
    }

    /// <summary>A process description for a program run under this identity.</summary>
    public ProcessStartInfo Describe(string program, IEnumerable<string> arguments, IReadOnlyList<string>? wrapper = null)
    {
        string[] words = [.. Prefix, .. wrapper ?? [], program, .. arguments];
        var info = new ProcessStartInfo(words[0])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true
        };
        foreach (var word in words.Skip(1))
        {
            info.ArgumentList.Add(word);
        }

        // Messages are read by us, and a server must not take its port or folder from the environment of whoever starts Berth.
        foreach (var name in info.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)
            || k.StartsWith("LC_", StringComparison.Ordinal)).ToArray())
        {
            info.Environment.Remove(name);
        }

        info.Environment["LC_ALL"] = "C";
        return info;
    }

    /// <summary>Runs a command to its end.</summary>
    /// <returns>Exit code (127 when it cannot be started) and what it wrote.</returns>
    public static async Task<(int Code, string Output)> RunAsync(ProcessStartInfo info, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(info);
            if (process is null)
            {
                return (127, "not started");
            }

            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return (process.ExitCode, await errors.ConfigureAwait(false) + await output.ConfigureAwait(false));
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return (127, error.Message);
        }
    }

    /// <summary>Whether a command can be started and succeeds.</summary>
    public static async Task<bool> SucceedsAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var info = new ServerIdentity([], null).Describe(command[0], command.Skip(1));
        return (await RunAsync(info, cancellationToken).ConfigureAwait(false)).Code == 0;
    }

    private static (int Uid, int Gid)? FindUser()
    {
        try
        {
            var users = File.ReadLines("/etc/passwd").Select(l => l.Split(':')).Where(f => f.Length >= 4)
                .ToDictionary(f => f[0], f => f, StringComparer.Ordinal);
            var fields = users.GetValueOrDefault("postgres") ?? users.GetValueOrDefault("nobody");
            return fields is null ? null : (int.Parse(fields[2]), int.Parse(fields[3]));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
