using System.Runtime.CompilerServices;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>Files of the repository.</summary>
internal static class Repository
{
    /// <summary>A path below its root.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Root(), .. parts]);

    /// <summary>The text of a file.</summary>
    public static string Read(params string[] parts) => File.ReadAllText(Path(parts));

    private static string Root([CallerFilePath] string here = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "..", "..", ".."));
}
