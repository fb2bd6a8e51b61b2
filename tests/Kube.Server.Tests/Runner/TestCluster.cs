using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Kube.Server.Runner;

namespace Kube.Server.Tests.Runner;

/// <summary>The in-process API over a dictionary: enough of its rules to test what is built on it without disk and HTTP.</summary>
internal sealed class TestCluster(TimeProvider time) : IClusterApi
{
    private static readonly (GroupResource Resource, string Kind, bool Namespaced)[] Kinds =
    [
        (GroupResource.Pods, "Pod", true), (GroupResource.Services, "Service", true), (GroupResource.Endpoints, "Endpoints", true),
        (GroupResource.Nodes, "Node", false), (GroupResource.Namespaces, "Namespace", false), (GroupResource.Events, "Event", true),
        (GroupResource.ConfigMaps, "ConfigMap", true), (GroupResource.Secrets, "Secret", true),
        (GroupResource.PersistentVolumeClaims, "PersistentVolumeClaim", true), (GroupResource.PersistentVolumes, "PersistentVolume", false),
        (GroupResource.StorageClasses, "StorageClass", false), (GroupResource.Leases, "Lease", true),
    ];

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (GroupResource Resource, JsonObject Value)> _objects = new(StringComparer.Ordinal);
    private readonly List<(Func<WatchEvent, bool> Wants, Channel<WatchEvent> Channel)> _watchers = [];
    private long _version;

    public IReadOnlyList<ResourceType> ResourceTypes => [.. Kinds.Select(k => new ResourceType(k.Resource, "v1", k.Kind, k.Namespaced))];

    public ResourceType? FindKind(string group, string kind) =>
        ResourceTypes.FirstOrDefault(t => t.Resource.Group == group && t.Kind == kind);

    public JsonObject? Get(GroupResource resource, string? ns, string name)
    {
        lock (_gate)
        {
            return _objects.TryGetValue(Key(resource, ns, name), out var found) ? found.Value : null;
        }
    }

    public ObjectList List(GroupResource resource, string? ns = null, SelectorOptions? selectors = null)
    {
        lock (_gate)
        {
            return new ObjectList(
                [.. _objects.Values.Where(o => o.Resource == resource && (ns is null || Ns(o.Value) == ns) && Wants(selectors, o.Value))
                .Select(o => o.Value)], _version);
        }
    }

    public IAsyncEnumerable<WatchEvent> WatchAsync(
        GroupResource resource, string? ns = null, long? fromResourceVersion = null, SelectorOptions? selectors = null,
        CancellationToken cancellationToken = default) =>
        Watch(e => e.Resource == resource && (ns is null || Ns(e.Value) == ns) && Wants(selectors, e.Value), cancellationToken);

    public IAsyncEnumerable<WatchEvent> WatchAllAsync(long? fromResourceVersion = null, CancellationToken cancellationToken = default) =>
        Watch(_ => true, cancellationToken);

    public Task<JsonObject> CreateAsync(GroupResource resource, string? ns, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            var metadata = obj["metadata"] as JsonObject ?? [];
            obj["metadata"] ??= metadata;
            var name = metadata.Text("name")!;
            if (_objects.ContainsKey(Key(resource, ns, name)))
            {
                throw new ApiException(409, "AlreadyExists", $"{resource} \"{name}\" already exists");
            }

            if (ns is not null)
            {
                metadata["namespace"] = ns;
            }

            metadata["uid"] ??= Guid.NewGuid().ToString();
            metadata["creationTimestamp"] = JsonReading.Stamp(time.GetUtcNow());
            return Task.FromResult(Store(resource, obj, WatchEventType.Added));
        }
    }

    public Task<JsonObject> UpdateAsync(
        GroupResource resource, string? ns, string name, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<JsonObject> UpdateStatusAsync(
        GroupResource resource, string? ns, string name, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<JsonObject> PatchAsync(GroupResource resource, string? ns, string name, JsonObject patch, string? subresource = null,
        WriteOptions? options = null,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<JsonObject?> ModifyAsync(GroupResource resource, string? ns, string name, Func<JsonObject, bool> change,
        string? subresource = null,
        WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (Get(resource, ns, name) is not { } current)
            {
                return Task.FromResult<JsonObject?>(null);
            }

            var copy = (JsonObject)current.DeepClone();
            if (!change(copy))
            {
                return Task.FromResult<JsonObject?>(current);
            }

            var result = subresource == "status" ? (JsonObject)current.DeepClone() : copy;
            result["status"] = (subresource == "status" ? copy : current)["status"]?.DeepClone();
            if (result.Object("metadata").Text("deletionTimestamp") is not null && result.Object("metadata").Texts("finalizers").Length == 0
                && resource != GroupResource.Pods)
            {
                return Task.FromResult<JsonObject?>(Remove(resource, result));
            }

            return Task.FromResult<JsonObject?>(Store(resource, result, WatchEventType.Modified));
        }
    }

    public Task<JsonObject?> DeleteAsync(
        GroupResource resource, string? ns, string name, DeleteOptions? options = null, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            var current = Get(resource, ns, name) ?? throw new ApiException(404, "NotFound", $"{resource} \"{name}\" not found");
            if (options?.PreconditionUid is { } uid && uid != current.Object("metadata").Text("uid"))
            {
                throw new ApiException(409, "Conflict", "uid");
            }

            var copy = (JsonObject)current.DeepClone();
            var metadata = copy["metadata"]!.AsObject();
            var finalizers = metadata.Texts("finalizers").ToList();
            if (options?.Propagation is DeletionPropagation.Foreground or DeletionPropagation.Orphan)
            {
                finalizers.Add(options.Propagation == DeletionPropagation.Foreground ? "foregroundDeletion" : "orphan");
                metadata["finalizers"] = new JsonArray([.. finalizers.Distinct().Select(f => (JsonNode)f)]);
            }

            var grace = resource == GroupResource.Pods && !string.IsNullOrEmpty(copy.Object("spec").Text("nodeName"))
                ? options?.GracePeriodSeconds ?? copy.Object("spec").Number("terminationGracePeriodSeconds") ?? 30 : 0;
            if (grace == 0 && finalizers.Count == 0)
            {
                Remove(resource, copy);
                return Task.FromResult<JsonObject?>(null);
            }

            metadata["deletionTimestamp"] ??= JsonReading.Stamp(time.GetUtcNow() + TimeSpan.FromSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
            return Task.FromResult<JsonObject?>(Store(resource, copy, WatchEventType.Modified));
        }
    }

    private JsonObject Remove(GroupResource resource, JsonObject obj)
    {
        _objects.Remove(Key(resource, Ns(obj), obj.Object("metadata").Text("name")!));
        Send(new WatchEvent(WatchEventType.Deleted, resource, obj, ++_version));
        return obj;
    }

    private JsonObject Store(GroupResource resource, JsonObject obj, WatchEventType type)
    {
        obj["metadata"]!["resourceVersion"] = $"{++_version}";
        _objects[Key(resource, Ns(obj), obj.Object("metadata").Text("name")!)] = (resource, obj);
        Send(new WatchEvent(type, resource, obj, _version));
        return obj;
    }

    private void Send(WatchEvent step)
    {
        foreach (var (wants, channel) in _watchers)
        {
            if (wants(step))
            {
                channel.Writer.TryWrite(step);
            }
        }
    }

    private async IAsyncEnumerable<WatchEvent> Watch(Func<WatchEvent, bool> wants,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<WatchEvent>();
        lock (_gate)
        {
            foreach (var (resource, value) in _objects.Values)
            {
                var step = new WatchEvent(WatchEventType.Added, resource, value, _version);
                if (wants(step))
                {
                    channel.Writer.TryWrite(step);
                }
            }

            channel.Writer.TryWrite(new WatchEvent(WatchEventType.InitialListDone, default, [], _version));
            _watchers.Add((wants, channel));
        }

        await foreach (var step in channel.Reader.ReadAllAsync(cancellationToken))
        {
            yield return step;
        }
    }

    private static bool Wants(SelectorOptions? selectors, JsonObject obj) => selectors?.FieldSelector is not { } field
        || (field.StartsWith("spec.nodeName=", StringComparison.Ordinal)
            && obj.Object("spec").Text("nodeName") == field["spec.nodeName=".Length..]);

    private static string? Ns(JsonObject obj) => obj.Object("metadata").Text("namespace");

    private static string Key(GroupResource resource, string? ns, string name) => $"{resource}|{ns}|{name}";
}
