using System.Text;

namespace Kube.Server.Runner.Pods;

/// <summary>The file in which a container leaves its last words, which become the message of its termination.</summary>
internal static class TerminationMessage
{
    // A kubelet's limit for a container.
    private const int MaxBytes = 4096;

    /// <summary>An empty file for the next run of a container.</summary>
    internal static string Prepare(string podFolder, string container)
    {
        var folder = Path.Combine(podFolder, "termination");
        PrivateFolders.Create(folder);
        var path = Path.Combine(folder, Path.GetFileName(container));
        File.Delete(path);
        File.WriteAllBytes(path, []);
        return path;
    }

    /// <summary>What was left there; null when nothing was.</summary>
    internal static string? Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists || file.LinkTarget is not null || file.Length == 0)
            {
                return null;
            }

            using var stream = file.OpenRead();
            var buffer = new byte[MaxBytes];
            var length = stream.ReadAtLeast(buffer, MaxBytes, throwOnEndOfStream: false);
            return Encoding.UTF8.GetString(buffer, 0, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
