namespace Kube.Server.Runner;

/// <summary>A pod's folder for temporary files, below the machine's own and named by a link in the pod's folder.</summary>
/// <remarks>
/// Not inside the data folder, because programs put sockets there, whose paths may have 107 bytes at most: a data folder in somebody's home
/// would leave too little.
/// </remarks>
internal static class PodTemp
{
    /// <summary>Gives the folder, making it (0700) when it is not there.</summary>
    public static string Ensure(string podFolder)
    {
        var link = new FileInfo(Path.Combine(podFolder, "tmp"));
        if (link.LinkTarget is { } target && Directory.Exists(target))
        {
            return target;
        }

        link.Delete();
        var made = Directory.CreateTempSubdirectory("pod-").FullName;
        File.CreateSymbolicLink(link.FullName, made);
        return made;
    }

    /// <summary>Removes the folder; the next start of the pod makes another.</summary>
    public static void Remove(string podFolder)
    {
        var link = new FileInfo(Path.Combine(podFolder, "tmp"));
        if (link.LinkTarget is { } target)
        {
            PrivateFolders.Remove(target);
            link.Delete();
        }
    }

    /// <summary>Removes a pod's folder and its folder for temporary files.</summary>
    public static void RemoveWithPod(string podFolder)
    {
        Remove(podFolder);
        PrivateFolders.Remove(podFolder);
    }
}
