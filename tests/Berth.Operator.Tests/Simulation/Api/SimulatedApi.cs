using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// A Kubernetes API in memory: names are unique, versions grow, preconditions hold, finalizers keep, managers own fields. It exists because
/// a real API does not fail on demand at the n-th write; a differential test compares it with Kube.Server.
/// </summary>
/// <remarks>Single-threaded. Nothing happens in it by itself: garbage collection and the like are steps of <see cref="SimulatedCluster"/>.</remarks>
internal sealed partial class SimulatedApi(TimeProvider time)
{
    private readonly Dictionary<ResourceDescriptor, SortedDictionary<string, Revision>> _live = [];
    private readonly Dictionary<ResourceDescriptor, List<Change>> _log = [];
    private readonly Dictionary<string, Dictionary<string, Fields>> _managers = [];
    private int _uids;

    /// <summary>Told of each change once it is made.</summary>
    internal event Action<Change>? Changed;

    /// <summary>Version of the last change.</summary>
    internal long Version { get; private set; } = 1;

    /// <summary>Watches from before this version are answered with 410.</summary>
    internal long Compacted { get; private set; }

    /// <summary>How many versions behind a list may be that does not ask for the newest (resourceVersion 0): a server's cache lags.</summary>
    internal long ListLag { get; set; }

    /// <summary>Whether the owner of a workspace can be changed, as on servers that know no CEL rules.</summary>
    internal bool WithoutRules { get; set; }

    /// <summary>Whether Services are not created by an apply that states a version, as before Kubernetes 1.23.</summary>
    internal bool IsOld { get; set; }

    internal void Compact() => Compacted = Version;

    internal Revision? Find(ResourceDescriptor kind, ResourceKey key) => Kind(kind).GetValueOrDefault(Text(key));

    internal T? Get<T>(ResourceKey key)
        where T : class, IKubeResource<T> => Find(T.Descriptor, key)?.As<T>();

    internal IReadOnlyList<Revision> All(ResourceDescriptor kind) => [.. Kind(kind).Values];

    internal IReadOnlyList<T> All<T>()
        where T : class, IKubeResource<T> => [.. Kind(T.Descriptor).Values.Select(r => r.As<T>())];

    internal IEnumerable<Revision> Everything() => _live.Values.SelectMany(k => k.Values);

    internal IReadOnlyList<Change> Log(ResourceDescriptor kind)
    {
        if (!_log.TryGetValue(kind, out var log))
        {
            _log[kind] = log = [];
        }

        return log;
    }

    /// <summary>The objects of a kind as they were at a version.</summary>
    internal IReadOnlyList<Revision> ListAt(ResourceDescriptor kind, long version)
    {
        if (version >= Version)
        {
            return All(kind);
        }

        var then = new SortedDictionary<string, Revision>(StringComparer.Ordinal);
        foreach (var change in Log(kind).TakeWhile(c => c.Version <= version))
        {
            if (change.Now is null)
            {
                then.Remove(Text(change.Last.Key));
            }
            else
            {
                then[Text(change.Last.Key)] = change.Now;
            }
        }

        return [.. then.Values];
    }

    /// <summary>Changes an object as an actor without faults does; nothing when it is gone.</summary>
    internal void Update<T>(ResourceKey key, Func<T, T> change, string? subresource = null)
        where T : class, IKubeResource<T>
    {
        if (Get<T>(key) is { } found)
        {
            Replace(T.Descriptor, ToJson(change(found)), subresource, "others");
        }
    }

    internal void Add<T>(T obj)
        where T : class, IKubeResource<T> => Create(T.Descriptor, ToJson(obj), "others");

    internal static JsonObject ToJson<T>(T obj)
        where T : class, IKubeResource<T> => JsonSerializer.SerializeToNode(obj, T.JsonTypeInfo)!.AsObject();

    private SortedDictionary<string, Revision> Kind(ResourceDescriptor kind)
    {
        if (!_live.TryGetValue(kind, out var objects))
        {
            _live[kind] = objects = new(StringComparer.Ordinal);
        }

        return objects;
    }

    private void Record(ResourceDescriptor kind, ResourceKey key, Revision? former, JsonObject? next, JsonObject last)
    {
        Version++;
        last["metadata"]!["resourceVersion"] = Version.ToString(CultureInfo.InvariantCulture);
        var revision = new Revision(kind, key, Version, last);
        if (next is null)
        {
            Kind(kind).Remove(Text(key));
            _managers.Remove(former!.Uid);
        }
        else
        {
            Kind(kind)[Text(key)] = revision;
        }

        var change = new Change(Version, former, next is null ? null : revision, revision);
        ((List<Change>)Log(kind)).Add(change);
        Changed?.Invoke(change);
    }

    private string NewUid() => $"uid-{++_uids:d4}";

    private string Now() => Text(time.GetUtcNow());

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Text(ResourceKey key) => $"{key.Namespace}/{key.Name}";

    /// <summary>Whether a kind has a status of its own, which writes to the object leave alone.</summary>
    private static bool HasStatus(ResourceDescriptor kind) =>
        kind.Kind is "Pod" or "PersistentVolumeClaim" or "Service" or "Namespace" or "UserWorkspace" or "VolumeSnapshot" or "Job";

    private static bool IsCustom(ResourceDescriptor kind) => kind.Group is "berth.dev" or "traefik.io" or "snapshot.storage.k8s.io";

    /// <summary>Whether a kind counts the changes of its specification.</summary>
    private static bool HasGeneration(ResourceDescriptor kind) => kind.Group.Contains('.', StringComparison.Ordinal);
}
