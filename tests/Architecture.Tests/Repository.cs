using System.Diagnostics;

namespace Architecture.Tests;

/// <summary>The checkout the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Names of the folders under src/ that hold a project.</summary>
    public static IReadOnlyList<string> Projects { get; } =
    [
        .. Directory
            .GetDirectories(Path.Combine(Root, "src"))
            .Where(d => File.Exists(Path.Combine(d, Path.GetFileName(d) + ".csproj")))
            .Select(d => Path.GetFileName(d)!)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Files under version control, or about to be.</summary>
    public static IReadOnlyList<string> TrackedFiles()
    {
        using var git =
            Process.Start(
                new ProcessStartInfo("git", ["ls-files", "--cached", "--others", "--exclude-standard"])
                {
                    WorkingDirectory = Root,
                    RedirectStandardOutput = true,
                }
            ) ?? throw new InvalidOperationException("git did not start.");
        var files = git.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        return [.. files.Where(f => File.Exists(Path.Combine(Root, f)))];
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Operator.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Operator.sln was not found above the test's folder.");
    }
}
