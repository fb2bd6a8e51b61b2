using System.Text;
using System.Text.Json.Nodes;
using Kube.Server.Runner.Launch;
using Kube.Server.Runner.Pods;
using Kube.Server.Runner.Processes;

namespace Kube.Server.Runner.Volumes;

/// <summary>The files of a volume made from config maps, secrets, tokens and the downward API.</summary>
internal sealed class VolumeFiles(IClusterApi api, PodShape pod, Pki.ServiceAccountTokens? tokens = null)
{
    // 0600: secrets are for the user alone whatever was asked for, there is no other user that they could be meant for.
    private const UnixFileMode SecretMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode DefaultMode = SecretMode | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    // The name that a kubelet uses; paths of files cannot begin with two dots.
    private const string DataLink = "..data";

    private readonly Dictionary<string, (byte[] Content, UnixFileMode Mode)> _files = new(StringComparer.Ordinal);

    /// <summary>Adds what a volume, or a source of a projected volume, names. False when it is of another type.</summary>
    /// <exception cref="MountException">The object or key does not exist.</exception>
    public bool Add(JsonObject source, bool projected)
    {
        if (source.Object("configMap") is { } map)
        {
            AddKeys(map, GroupResource.ConfigMaps, "configmap", map.Text("name") ?? "");
        }
        else if (source.Object("secret") is { } secret)
        {
            AddKeys(secret, GroupResource.Secrets, "secret", secret.Text(projected ? "name" : "secretName") ?? "");
        }
        else if (source.Object("downwardAPI") is { } downward)
        {
            foreach (var item in downward.Objects("items"))
            {
                _files[item.Text("path") ?? ""] = (Encoding.UTF8.GetBytes(Downward(item)), Mode(item.Number("mode")
                    ?? downward.Number("defaultMode")));
            }
        }
        else if (projected && source.Object("serviceAccountToken") is { } token && tokens is not null)
        {
            var account = pod.Source.Object("spec").Text("serviceAccountName") is { Length: > 0 } named ? named : "default";
            _files[token.Text("path") ?? ""] = (Encoding.UTF8.GetBytes(tokens.Issue(
                pod.Namespace, account, pod.Name, pod.Uid, token.Text("audience") ?? "", LifetimeOf(token))), SecretMode);
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>Life of a projected token in seconds: an hour unless it says otherwise, and ten minutes at least.</summary>
    public static long LifetimeOf(JsonObject token) => Math.Max(600, token.Number("expirationSeconds") ?? 3600);

    /// <summary>Writes the files into a folder that nothing of a former life of the pod is left in.</summary>
    /// <exception cref="MountException">A path leaves the volume.</exception>
    public void Write(string volume, string folder)
    {
        PrivateFolders.Remove(folder);
        PrivateFolders.Create(folder);
        Publish(volume, folder);
    }

    /// <summary>Writes them anew if one differs: whoever has read one of the new texts finds the others new as well.</summary>
    /// <exception cref="MountException">A path leaves the volume.</exception>
    public void Update(string volume, string folder)
    {
        var current = Path.Combine(folder, DataLink);
        if (_files.Any(f => Path.Combine(current, f.Key) is var file
            && !(File.Exists(file) && File.ReadAllBytes(file).AsSpan().SequenceEqual(f.Value.Content))))
        {
            Publish(volume, folder);
        }
    }

    /// <summary>A path in a volume that this class has written, by its links; null when it leads out of it, or is another volume.</summary>
    public static string? Below(string folder, string path) =>
        new FileInfo(Path.Combine(folder, DataLink)).LinkTarget is { } target
        && SafePath.Below(folder, target) is { } version
        && SafePath.Below(version, path) is not null
            ? Path.Combine(folder, DataLink, path)
            : null;

    // As a kubelet does: the files are in a folder of their own, which all paths lead to by way of one link, and that changes at once.
    private void Publish(string volume, string folder)
    {
        var version = $"..{Guid.NewGuid():N}";
        var versionFolder = Path.Combine(folder, version);
        PrivateFolders.Create(versionFolder);
        var tops = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (path, (content, mode)) in _files)
        {
            var file = FileOf(volume, versionFolder, path);
            PrivateFolders.Create(Path.GetDirectoryName(file)!);
            Save(file, content, mode);
            tops.Add(Path.GetRelativePath(versionFolder, file).Split('/', 2)[0]);
        }

        var next = Path.Combine(folder, $"{DataLink}.{version}");
        File.CreateSymbolicLink(next, version);
        Libc.Rename(next, Path.Combine(folder, DataLink));
        foreach (var top in tops)
        {
            var link = Path.Combine(folder, top);
            if (new FileInfo(link).LinkTarget is null)
            {
                File.CreateSymbolicLink(link, Path.Combine(DataLink, top));
            }
        }

        foreach (var former in Directory.GetDirectories(folder, "..*")
            .Where(d => Path.GetFileName(d) is var name && name != version && name != DataLink))
        {
            PrivateFolders.Remove(former);
        }
    }

    private static string FileOf(string volume, string folder, string path) =>
        SafePath.Below(folder, path) is { } file && file != folder && !path.StartsWith("..", StringComparison.Ordinal)
            ? file
            : throw new MountException($"volume \"{volume}\": path \"{path}\" must stay inside the volume");

    private static void Save(string file, byte[] content, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode | UnixFileMode.UserWrite | UnixFileMode.UserRead;
        }

        using var stream = new FileStream(file, options);
        stream.Write(content);
    }

    private void AddKeys(JsonObject source, GroupResource resource, string kind, string name)
    {
        var secret = resource == GroupResource.Secrets;
        var optional = source.Flag("optional");
        var found = api.Get(resource, pod.Namespace, name);
        if (found is null)
        {
            if (optional)
            {
                return;
            }

            throw new MountException($"{kind} \"{name}\" not found");
        }

        var data = found.Map("data").ToDictionary(e => e.Key, e => secret ? Decode(e.Value) : Encoding.UTF8.GetBytes(e.Value));
        foreach (var (key, value) in found.Map("binaryData"))
        {
            data[key] = Decode(value);
        }

        var items = source.Objects("items").Select(i => (Key: i.Text("key") ?? "", Path: i.Text("path")
            ?? "", Mode: i.Number("mode"))).ToList();
        if (items.Count == 0)
        {
            items = [.. data.Keys.Select(k => (k, k, (long?)null))];
        }

        foreach (var item in items)
        {
            if (data.TryGetValue(item.Key, out var content))
            {
                _files[item.Path] = (content, secret ? SecretMode : Mode(item.Mode ?? source.Number("defaultMode")));
            }
            else if (!optional)
            {
                throw new MountException($"references non-existent {kind} key: {item.Key}");
            }
        }
    }

    private string Downward(JsonObject item)
    {
        try
        {
            return item.Object("resourceFieldRef") is { } resource ? DownwardFields.Resource(pod, resource, "")
                : DownwardFields.Read(pod, item.Object("fieldRef").Text("fieldPath") ?? "");
        }
        catch (ConfigException error)
        {
            throw new MountException(error.Message);
        }
    }

    private static UnixFileMode Mode(long? declared) => declared is null ? DefaultMode : (UnixFileMode)(declared.Value & 0x1ff);

    private static byte[] Decode(string base64)
    {
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException)
        {
            throw new MountException("data is not base64");
        }
    }
}
