using System.Text.Json.Nodes;
using Kube.Server.Runner.Launch;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner.Volumes;

/// <summary>A volume that cannot be had now. Reported as FailedMount and tried again.</summary>
internal sealed class MountException(string message) : Exception(message);

/// <summary>Makes the volumes of a pod: folders and files on this machine.</summary>
/// <param name="api">Claims, config maps and secrets.</param>
/// <param name="claims">Folder of all claims, <c>namespace/name</c> below it.</param>
/// <param name="tokens">Makes tokens of service accounts; null: volumes with them cannot be had.</param>
internal sealed class PodVolumes(IClusterApi api, string claims, Pki.ServiceAccountTokens? tokens = null)
{
    /// <summary>Makes all volumes.</summary>
    /// <returns>Host path by volume name.</returns>
    /// <exception cref="MountException">One cannot be had; the message says which and why.</exception>
    public Dictionary<string, string> Prepare(PodShape pod, string podFolder)
    {
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var volume in pod.Volumes)
        {
            var name = volume.Text("name") ?? "";
            if (name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal))
            {
                throw new MountException($"volume name \"{name}\" is not valid");
            }

            try
            {
                paths[name] = Make(pod, volume, name, Path.Combine(podFolder, "volumes", name));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new MountException($"MountVolume.SetUp failed for volume \"{name}\" : {error.Message}");
            }
            catch (MountException error)
            {
                throw new MountException($"MountVolume.SetUp failed for volume \"{name}\" : {error.Message}");
            }
        }

        return paths;
    }

    /// <summary>
    /// Writes anew what files say of the pod itself, after its labels or annotations changed, as a kubelet does. Variables keep the
    /// values of the start.
    /// </summary>
    public void Refresh(PodShape pod, string podFolder)
    {
        foreach (var volume in pod.Volumes)
        {
            JsonObject[] sources = [volume, .. volume.Object("projected").Objects("sources")];
            var name = volume.Text("name") ?? "";
            var folder = Path.Combine(podFolder, "volumes", name);
            if (sources.Any(s => s.ContainsKey("downwardAPI") || s.ContainsKey("serviceAccountToken")) && Directory.Exists(folder))
            {
                Files(pod, volume).Update(name, folder);
            }
        }
    }

    /// <summary>
    /// How long after a write the tokens in a pod's files are to be written anew, as a kubelet does when four fifths of their life are
    /// over; null where there are none.
    /// </summary>
    public static TimeSpan? Renewal(PodShape pod)
    {
        var lives = pod.Volumes.SelectMany(v => v.Object("projected").Objects("sources"))
            .Select(s => s.Object("serviceAccountToken")).OfType<JsonObject>().Select(VolumeFiles.LifetimeOf).ToList();
        return lives.Count == 0 ? null : TimeSpan.FromSeconds(lives.Min() * 0.8);
    }

    /// <summary>The mount table of a container; subPath folders are made.</summary>
    /// <exception cref="MountException">A mount names no volume or leaves it.</exception>
    public static MountTable Mounts(
        ContainerShape container, IReadOnlyDictionary<string, string> volumes, string lastWords, Func<string, string> expand)
    {
        var table = new Dictionary<string, string>(StringComparer.Ordinal);
        if (container.TerminationPath.Length > 0)
        {
            // So a program that is told the path, by its environment or an argument, finds the file.
            table[container.TerminationPath] = lastWords;
        }

        foreach (var mount in container.Mounts)
        {
            var name = mount.Text("name") ?? "";
            if (!volumes.TryGetValue(name, out var folder))
            {
                throw new MountException($"volumeMounts: no volume \"{name}\" in the pod");
            }

            var sub = mount.Text("subPathExpr") is { Length: > 0 } expression ? expand(expression) : mount.Text("subPath") ?? "";
            var path = SafePath.Below(folder, sub) ?? VolumeFiles.Below(folder, sub)
                ?? throw new MountException($"volumeMounts of \"{name}\": subPath \"{sub}\" must stay inside the volume");
            if (sub.Length > 0 && !File.Exists(path))
            {
                PrivateFolders.Create(path);
            }

            table[mount.Text("mountPath") ?? ""] = path;
        }

        return new MountTable(table);
    }

    private string Make(PodShape pod, JsonObject volume, string name, string folder)
    {
        if (volume.Object("persistentVolumeClaim") is { } claim)
        {
            return Claim(pod, claim.Text("claimName") ?? "");
        }

        if (volume.Object("hostPath") is { } host)
        {
            return Host(host);
        }

        if (volume.ContainsKey("emptyDir"))
        {
            PrivateFolders.Create(folder);
            return folder;
        }

        Files(pod, volume).Write(name, folder);
        return folder;
    }

    private VolumeFiles Files(PodShape pod, JsonObject volume)
    {
        var files = new VolumeFiles(api, pod, tokens);
        if (!files.Add(volume, projected: false))
        {
            var projected = volume.Object("projected")
                ?? throw new MountException($"the process runner has no volumes of type {Kind(volume)}");
            foreach (var source in projected.Objects("sources"))
            {
                if (!files.Add(source, projected: true))
                {
                    throw new MountException($"the process runner has no projected source of type {Kind(source)}");
                }
            }
        }

        return files;
    }

    private string Claim(PodShape pod, string claim)
    {
        var found = api.Get(GroupResource.PersistentVolumeClaims, pod.Namespace, claim)
            ?? throw new MountException($"persistentvolumeclaim \"{claim}\" not found");
        if (found.Object("status").Text("phase") != "Bound")
        {
            throw new MountException($"persistentvolumeclaim \"{claim}\" is not bound");
        }

        var folder = SafePath.Below(claims, $"{pod.Namespace}/{claim}")
            ?? throw new MountException($"persistentvolumeclaim \"{claim}\" is not a folder");
        PrivateFolders.Create(folder);
        return folder;
    }

    private static string Host(JsonObject host)
    {
        var path = host.Text("path") ?? "";
        var type = host.Text("type") ?? "";
        if (!path.StartsWith('/'))
        {
            throw new MountException($"hostPath \"{path}\" must be absolute");
        }

        if (type == "DirectoryOrCreate")
        {
            PrivateFolders.Create(path);
        }

        return type.Length == 0 || Directory.Exists(path) || (type is "File" or "FileOrCreate" && File.Exists(path))
            ? path : throw new MountException($"hostPath type check failed: {path} is not a {type}");
    }

    private static string Kind(JsonObject volume) => volume.Select(p => p.Key).FirstOrDefault(k => k != "name") ?? "none";
}
