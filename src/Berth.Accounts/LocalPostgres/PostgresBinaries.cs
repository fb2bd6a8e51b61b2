using System.Diagnostics.CodeAnalysis;

namespace Berth.Accounts;

/// <summary>Where the machine's own PostgreSQL programs are.</summary>
internal sealed record PostgresBinaries(string InitDb, string Postgres, string PgCtl)
{
    /// <summary>Looks on PATH, then where Debian, Red Hat and Homebrew put the versioned programs (the newest version wins).</summary>
    public static bool TryFind([NotNullWhen(true)] out PostgresBinaries? binaries)
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var folders = onPath.Concat(Versioned("/usr/lib/postgresql")).Concat(Versioned("/usr")).Concat(Versioned("/opt/homebrew/opt"));
        foreach (var folder in folders)
        {
            var found = new PostgresBinaries(Path.Combine(folder, "initdb"), Path.Combine(folder, "postgres"),
                Path.Combine(folder, "pg_ctl"));
            if (File.Exists(found.InitDb) && File.Exists(found.Postgres) && File.Exists(found.PgCtl))
            {
                binaries = found;
                return true;
            }
        }

        binaries = null;
        return false;
    }

    private static IEnumerable<string> Versioned(string root)
    {
        try
        {
            return
            [
                .. Directory.EnumerateDirectories(root)
                    .Select(d => (Path: d, Version: VersionOf(Path.GetFileName(d))))
                    .Where(d => d.Version >= 0)
                    .OrderByDescending(d => d.Version)
                    .Select(d => Path.Combine(d.Path, "bin")),
            ];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // "15" (Debian), "pgsql-15" (Red Hat), "postgresql@15" (Homebrew).
    private static int VersionOf(string folder)
    {
        var digits = folder.StartsWith("pgsql-", StringComparison.Ordinal) ? folder["pgsql-".Length..]
            : folder.StartsWith("postgresql@", StringComparison.Ordinal) ? folder["postgresql@".Length..]
            : folder;
        return int.TryParse(digits, out var version) ? version : -1;
    }
}
