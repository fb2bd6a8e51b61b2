using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Patch;
using Kube.Server.Storage;

namespace Kube.Server.Pipeline;

/// <summary>The in-process face of the pipeline; HTTP uses the same <see cref="Writer"/>, <see cref="Deleter"/> and store.</summary>
internal sealed class ClusterApi : IClusterApi
{
    private static readonly WriteOptions Defaults = new();

    public ClusterApi(ObjectStore store, KindRegistry registry, TimeProvider time)
    {
        Store = store;
        Registry = registry;
        Time = time;
        Writer = new Writer(registry, store, time);
        Deleter = new Deleter(store, time);
    }

    public ObjectStore Store { get; }

    public KindRegistry Registry { get; }

    public TimeProvider Time { get; }

    public Writer Writer { get; }

    public Deleter Deleter { get; }

    public IReadOnlyList<ResourceType> ResourceTypes =>
        Registry.Table.Preferred.Where(k => !k.IsReview && !k.IsEventsGroup).Select(Describe).ToList();

    public ResourceType? FindKind(string group, string kind) => Registry.Table.FindKind(group, kind) is { } found ? Describe(found) : null;

    public JsonObject? Get(GroupResource resource, string? ns, string name)
    {
        var kind = Kind(resource);
        return Store.State.Get(kind.Storage, StoredObject.KeyOf(kind.Namespaced ? ns : null, name)) is { } stored
            ? Conversion.ToServed(stored.Value, kind)
            : null;
    }

    public ObjectList List(GroupResource resource, string? ns = null, SelectorOptions? selectors = null)
    {
        var query = Query(resource, ns, selectors);
        var state = Store.State;
        return new ObjectList(query.Select(state.Table(query.Kind.Storage)).Select(s => Conversion.ToServed(s.Value, query.Kind)).ToList(),
            state.ResourceVersion);
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        GroupResource resource, string? ns = null, long? fromResourceVersion = null, SelectorOptions? selectors = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var query = Query(resource, ns, selectors);
        var version = fromResourceVersion ?? 0;
        if (fromResourceVersion is null)
        {
            var state = Store.State;
            version = state.ResourceVersion;
            foreach (var stored in query.Select(state.Table(query.Kind.Storage)))
            {
                yield return new WatchEvent(WatchEventType.Added, resource, Conversion.ToServed(stored.Value, query.Kind),
                    stored.ResourceVersion);
            }
            yield return new WatchEvent(WatchEventType.InitialListDone, resource, [], version);
        }
        await foreach (var change in ChangesAsync(query.Kind.Storage, version, cancellationToken).ConfigureAwait(false))
        {
            if (query.Translate(change) is { } seen)
            {
                yield return new WatchEvent(seen.Type, resource, Conversion.ToServed(seen.Value, query.Kind), change.ResourceVersion);
            }
        }
    }

    public async IAsyncEnumerable<WatchEvent> WatchAllAsync(long? fromResourceVersion = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var version = fromResourceVersion ?? 0;
        if (fromResourceVersion is null)
        {
            var state = Store.State;
            version = state.ResourceVersion;
            foreach (var stored in state.Tables.Values.SelectMany(table => table.Values))
            {
                yield return new WatchEvent(WatchEventType.Added, stored.Resource, stored.Value, stored.ResourceVersion);
            }
            yield return new WatchEvent(WatchEventType.InitialListDone, default, [], version);
        }
        await foreach (var change in ChangesAsync(null, version, cancellationToken).ConfigureAwait(false))
        {
            var type = change.After is null ? WatchEventType.Deleted : change.Before is null ? WatchEventType.Added
                : WatchEventType.Modified;
            yield return new WatchEvent(type, change.Resource, change.Shown.Value, change.ResourceVersion);
        }
    }

    public async Task<JsonObject> CreateAsync(GroupResource resource, string? ns, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return await Writer.CreateAsync(Kind(resource), ns, obj, options ?? Defaults, [])
            .WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<JsonObject> UpdateAsync(GroupResource resource, string? ns, string name, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return await Writer.UpdateAsync(Kind(resource), ns, name, "", options ?? Defaults, _ => Json.Clone(obj), [], isPatch: false)
            .WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<JsonObject> UpdateStatusAsync(GroupResource resource, string? ns, string name, JsonObject obj,
        WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return await Writer.UpdateAsync(Kind(resource), ns, name, "status", options ?? Defaults, _ => Json.Clone(obj), [], isPatch: false)
            .WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<JsonObject> PatchAsync(
        GroupResource resource, string? ns, string name, JsonObject patch, string? subresource = null, WriteOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(patch);
        JsonObject? Change(JsonObject live)
        {
            MergePatch.Apply(live, patch);
            return live;
        }
        return await Writer.UpdateAsync(Kind(resource), ns, name, subresource ?? "", options ?? Defaults, Change, [], isPatch: true)
            .WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<JsonObject?> ModifyAsync(
        GroupResource resource, string? ns, string name, Func<JsonObject, bool> change, string? subresource = null,
        WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        try
        {
            return await Writer.UpdateAsync(
                Kind(resource), ns, name, subresource ?? "", options ?? Defaults, live => change(live) ? live : null, [], isPatch: true)
                    .WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    public async Task<JsonObject?> DeleteAsync(GroupResource resource, string? ns, string name, DeleteOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        var (value, gone) = await Deleter.DeleteAsync(Kind(resource), ns, name, options ?? new DeleteOptions())
            .WaitAsync(cancellationToken).ConfigureAwait(false);
        return gone ? null : value;
    }

    /// <summary>Raw changes after a version, for ever.</summary>
    public async IAsyncEnumerable<ChangeRecord> ChangesAsync(GroupResource? resource, long version,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var batch = Store.ReadAfter(resource, version);
            if (batch.TooOld)
            {
                throw Status.Expired($"too old resource version: {version} ({batch.Floor})");
            }
            foreach (var change in batch.Records)
            {
                yield return change;
            }
            version = batch.UpTo;
            if (batch.Records.Count == 0)
            {
                await batch.Changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static ResourceType Describe(KindInfo kind) => new(kind.Resource, kind.Version, kind.Kind, kind.Namespaced);

    private KindInfo Kind(GroupResource resource) => Registry.Table.Get(resource) ?? throw Status.PathNotFound();

    private ObjectQuery Query(GroupResource resource, string? ns, SelectorOptions? selectors) =>
        ObjectQuery.Create(Kind(resource), ns, selectors?.LabelSelector, selectors?.FieldSelector);
}
