using System.Text;
using System.Text.Json.Nodes;
using Kube.Server.Runner.Launch;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner.Volumes;

/// <summary>The files of a volume made from config maps, secrets and the downward API.</summary>
internal sealed class VolumeFiles(IClusterApi api, PodShape pod)
{
    // 0600: secrets are for the user alone whatever was asked for, there is no other user that they could be meant for.
    private const UnixFileMode SecretMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode DefaultMode = SecretMode | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

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
        else
        {
            return false;
        }

        return true;
    }

    /// <exception cref="MountException">A path leaves the volume.</exception>
    public void Write(string volume, string folder)
    {
        // A former life of the pod may have left files that are not wanted any more.
        PrivateFolders.Remove(folder);
        PrivateFolders.Create(folder);
        foreach (var (path, (content, mode)) in _files)
        {
            var file = FileOf(volume, folder, path);
            PrivateFolders.Create(Path.GetDirectoryName(file)!);
            Save(file, content, mode);
        }
    }

    /// <summary>Writes what differs from what is there, each file in one step: whoever reads sees the old text or the new one.</summary>
    /// <exception cref="MountException">A path leaves the volume.</exception>
    public void Update(string volume, string folder)
    {
        foreach (var (path, (content, mode)) in _files)
        {
            var file = FileOf(volume, folder, path);
            if (File.Exists(file) && File.ReadAllBytes(file).AsSpan().SequenceEqual(content))
            {
                continue;
            }

            PrivateFolders.Create(Path.GetDirectoryName(file)!);
            var fresh = $"{file}.{Guid.NewGuid():N}";
            Save(fresh, content, mode);
            File.Move(fresh, file, overwrite: true);
        }
    }

    private static string FileOf(string volume, string folder, string path) =>
        SafePath.Below(folder, path) is { } file && file != folder
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
