using System.Collections.Immutable;

namespace Kube.Server.Storage;

/// <summary>Everything at one version. Immutable.</summary>
internal sealed record StoreState(long ResourceVersion,
    ImmutableDictionary<GroupResource, ImmutableSortedDictionary<string, StoredObject>> Tables)
{
    public static readonly ImmutableSortedDictionary<string, StoredObject> EmptyTable =
        ImmutableSortedDictionary.Create<string, StoredObject>(StringComparer.Ordinal);

    public ImmutableSortedDictionary<string, StoredObject> Table(GroupResource resource) =>
        Tables.GetValueOrDefault(resource) ?? EmptyTable;

    public StoredObject? Get(GroupResource resource, string key) => Table(resource).GetValueOrDefault(key);
}

internal sealed record StoreSettings(bool Flush, long CompactionBytes, int HistoryEvents, long HistoryBytes = 32 * 1024 * 1024);

/// <summary>Answer of a ring: changes, the version reached, whether the asked version is too old, and a task for what comes next.</summary>
internal sealed record WatchBatch(List<ChangeRecord> Records, long UpTo, long Floor, bool TooOld, Task Changed);
