using Kube.Client;
using Kube.Client.Models;

namespace Kube.Runtime.Tests.Fakes;

internal static class Objects
{
    public static ConfigMap Map(string name, string version, string? uid = null, string ns = "a", string? value = null) => new()
    {
        Metadata = new ObjectMeta { Namespace = ns, Name = name, ResourceVersion = version, Uid = uid ?? "uid-" + name },
        Data = value is null ? null : new Dictionary<string, string> { ["v"] = value },
    };

    public static Pod OwnedPod(string name, string version, IKubeObject owner) => new()
    {
        Metadata = new ObjectMeta
        {
            Namespace = "a",
            Name = name,
            ResourceVersion = version,
            Uid = "uid-" + name,
            OwnerReferences = [OwnerReferences.ControllerReference(owner)],
        },
    };

    public static WatchEvent<T> Added<T>(T obj)
        where T : class, IKubeResource<T> => new WatchEvent<T>.Added(obj);

    public static WatchEvent<T> Modified<T>(T obj)
        where T : class, IKubeResource<T> => new WatchEvent<T>.Modified(obj);

    public static WatchEvent<T> Deleted<T>(T obj)
        where T : class, IKubeResource<T> => new WatchEvent<T>.Deleted(obj);

    public static WatchEvent<ConfigMap> Bookmark(string version, bool end = false) => new WatchEvent<ConfigMap>.Bookmark(version, end);
}
