using System.Collections.Immutable;
using Kube.Client;

namespace Kube.Runtime;

/// <summary>A thread-safe map from key to object with named indexes.</summary>
/// <remarks>
/// Everything hangs on one immutable snapshot that writers swap under a lock, so readers never wait and a reader that looks twice through
/// <see cref="List"/> holds what it got. A write costs O(log n) per index value; a lookup O(log n).
/// </remarks>
/// <typeparam name="T">The kind.</typeparam>
public sealed class Store<T> : IStore<T>
    where T : class, IKubeResource<T>
{
    /// <summary>Name of the index by namespace that every store has.</summary>
    public const string NamespaceIndex = "namespace";

    private readonly Lock _gate = new();
    private readonly IEqualityComparer<ResourceKey> _keys;
    private volatile Snapshot _snapshot;

    /// <summary>Creates an empty store.</summary>
    /// <param name="indexers">Name of each index, and the values under which it files an object. They must be pure.</param>
    public Store(IReadOnlyDictionary<string, Func<T, IEnumerable<string>>>? indexers = null)
        : this(indexers, EqualityComparer<ResourceKey>.Default)
    {
    }

    /// <param name="indexers">As above.</param>
    /// <param name="keys">Its hashes say in which order a store lists what it holds.</param>
    internal Store(IReadOnlyDictionary<string, Func<T, IEnumerable<string>>>? indexers, IEqualityComparer<ResourceKey> keys)
    {
        _keys = keys;
        _snapshot = new Snapshot(
            ImmutableDictionary.Create<ResourceKey, T>(keys), ImmutableDictionary.Create<string, Index>(StringComparer.Ordinal));
        EnsureIndex(NamespaceIndex, static o => [o.Metadata.Namespace ?? ""]);
        foreach (var (name, indexer) in indexers ?? ImmutableDictionary<string, Func<T, IEnumerable<string>>>.Empty)
        {
            EnsureIndex(name, indexer);
        }
    }

    /// <inheritdoc/>
    public int Count => _snapshot.Items.Count;

    /// <inheritdoc/>
    public T? Get(ResourceKey key) => _snapshot.Items.GetValueOrDefault(key);

    /// <inheritdoc/>
    public IReadOnlyCollection<T> List() => new Values(_snapshot.Items);

    /// <inheritdoc/>
    public IReadOnlyList<T> ListNamespace(string ns) => ByIndex(NamespaceIndex, ns);

    /// <inheritdoc/>
    public IReadOnlyList<T> ByIndex(string index, string value)
    {
        var snapshot = _snapshot;
        return !snapshot.Indexes.TryGetValue(index, out var found)
            ? throw new ArgumentException(
                $"The store of {T.Descriptor.Plural} has no index '{index}'. Name it in InformerOptions.Indexers.", nameof(index))
            : found.Entries.TryGetValue(value, out var keys) ? [.. keys.Select(k => snapshot.Items[k])] : [];
    }

    /// <summary>Adds an index over what is there and what will come; does nothing when there is one of that name, so that several users may
    /// ask for the same.</summary>
    public void EnsureIndex(string name, Func<T, IEnumerable<string>> indexer)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(indexer);
        lock (_gate)
        {
            var snapshot = _snapshot;
            if (snapshot.Indexes.ContainsKey(name))
            {
                return;
            }

            var index = new Index(
                indexer, ImmutableDictionary.Create<string, ImmutableHashSet<ResourceKey>>(StringComparer.Ordinal),
                ImmutableHashSet.Create(_keys));
            foreach (var (key, obj) in snapshot.Items)
            {
                index = index.Move(key, null, obj);
            }

            _snapshot = snapshot with { Indexes = snapshot.Indexes.Add(name, index) };
        }
    }

    /// <summary>Adds or replaces an object; returns what was there before.</summary>
    public T? Put(T obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return Set(obj.Key(), obj);
    }

    /// <summary>Removes an object; returns what was there.</summary>
    public T? Remove(ResourceKey key) => Set(key, null);

    /// <summary>Makes the store hold exactly these objects, in one step for readers; returns what there was before.</summary>
    public IReadOnlyDictionary<ResourceKey, T> Replace(IEnumerable<T> objects)
    {
        ArgumentNullException.ThrowIfNull(objects);
        lock (_gate)
        {
            var old = _snapshot.Items;
            var items = ImmutableDictionary.CreateBuilder<ResourceKey, T>(_keys);
            foreach (var obj in objects)
            {
                items[obj.Key()] = obj;
            }

            var indexes = _snapshot.Indexes.ToBuilder();
            foreach (var (name, index) in _snapshot.Indexes)
            {
                indexes[name] = index.Rebuild(items);
            }

            _snapshot = new Snapshot(items.ToImmutable(), indexes.ToImmutable());
            return old;
        }
    }

    private T? Set(ResourceKey key, T? obj)
    {
        lock (_gate)
        {
            var (items, indexes) = _snapshot;
            var old = items.GetValueOrDefault(key);
            if (old is null && obj is null)
            {
                return null;
            }

            foreach (var (name, index) in indexes)
            {
                indexes = indexes.SetItem(name, index.Move(key, old, obj));
            }

            _snapshot = new Snapshot(obj is null ? items.Remove(key) : items.SetItem(key, obj), indexes);
            return old;
        }
    }

    private sealed record Snapshot(ImmutableDictionary<ResourceKey, T> Items, ImmutableDictionary<string, Index> Indexes);

    private sealed record Index(
        Func<T, IEnumerable<string>> Indexer,
        ImmutableDictionary<string, ImmutableHashSet<ResourceKey>> Entries,
        ImmutableHashSet<ResourceKey> None)
    {
        /// <summary>Files an object anew after a change; the same index when nothing moves, which is the common case.</summary>
        public Index Move(ResourceKey key, T? old, T? obj)
        {
            HashSet<string> before = [.. old is null ? [] : Indexer(old)];
            HashSet<string> after = [.. obj is null ? [] : Indexer(obj)];
            if (before.SetEquals(after))
            {
                return this;
            }

            var entries = Entries;
            foreach (var value in before.Except(after))
            {
                var rest = entries[value].Remove(key);
                entries = rest.IsEmpty ? entries.Remove(value) : entries.SetItem(value, rest);
            }

            foreach (var value in after.Except(before))
            {
                entries = entries.SetItem(value, entries.GetValueOrDefault(value, None).Add(key));
            }

            return this with { Entries = entries };
        }

        public Index Rebuild(IEnumerable<KeyValuePair<ResourceKey, T>> items) => this with
        {
            Entries = items
                .SelectMany(item => Indexer(item.Value).Distinct(StringComparer.Ordinal), (item, value) => (value, item.Key))
                .GroupBy(pair => pair.value, pair => pair.Key, StringComparer.Ordinal)
                .ToImmutableDictionary(group => group.Key, group => None.Union(group), StringComparer.Ordinal),
        };
    }

    /// <summary>A view: listing 10,000 objects to look at three must not copy them.</summary>
    private sealed class Values(ImmutableDictionary<ResourceKey, T> items) : IReadOnlyCollection<T>
    {
        public int Count => items.Count;

        public IEnumerator<T> GetEnumerator()
        {
            foreach (var item in items)
            {
                yield return item.Value;
            }
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
