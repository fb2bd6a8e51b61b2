using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Selectors;
using Kube.Server.Storage;

namespace Kube.Server.Pipeline;

/// <summary>What a list or watch is about: a kind, a namespace or all, and selectors.</summary>
internal sealed record ObjectQuery(KindInfo Kind, string? Namespace, LabelSelector Labels, FieldSelector Fields)
{
    public static ObjectQuery Create(KindInfo kind, string? ns, string? labels, string? fields) =>
        new(kind, string.IsNullOrEmpty(ns) || !kind.Namespaced ? null : ns, LabelSelector.Parse(labels), FieldSelector.Parse(fields, kind));

    public bool HasSelectors => !Labels.IsEmpty || !Fields.IsEmpty;

    public bool Matches(StoredObject stored) =>
        (Namespace is null || stored.Namespace == Namespace) && Labels.Matches(stored.Value) && Fields.Matches(stored.Value);

    /// <summary>Matching objects in key order, from a key on.</summary>
    public IEnumerable<StoredObject> Select(ImmutableSortedDictionary<string, StoredObject> table, string? startKey = null)
    {
        if (Namespace is not null && Fields.ExactName is { } name && startKey is null)
        {
            return table.TryGetValue(StoredObject.KeyOf(Namespace, name), out var one) && Matches(one) ? [one] : [];
        }
        return Scan(table, startKey);
    }

    private IEnumerable<StoredObject> Scan(ImmutableSortedDictionary<string, StoredObject> table, string? startKey)
    {
        var prefix = Namespace is null ? "" : Namespace + "/";
        foreach (var (key, stored) in table)
        {
            if (startKey is not null && string.CompareOrdinal(key, startKey) < 0)
            {
                continue;
            }
            if (key.StartsWith(prefix, StringComparison.Ordinal) && Matches(stored))
            {
                yield return stored;
            }
        }
    }

    /// <summary>
    /// How a change looks through the selectors: an object that leaves them is Deleted (old state, new version), one that enters is Added.
    /// </summary>
    public (WatchEventType Type, JsonObject Value)? Translate(ChangeRecord change)
    {
        var before = change.Before is { } old && Matches(old);
        var after = change.After is { } now && Matches(now);
        return (before, after) switch
        {
            (false, true) => (WatchEventType.Added, change.After!.Value),
            (true, true) => (WatchEventType.Modified, change.After!.Value),
            (true, false) =>
                (WatchEventType.Deleted,
                change.After is null ? change.Shown.Value : WithVersion(change.Before!.Value, change.ResourceVersion)),
            _ => null,
        };
    }

    private static JsonObject WithVersion(JsonObject value, long version)
    {
        var copy = Json.Clone(value);
        Json.Ensure(copy, "metadata")["resourceVersion"] = version.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return copy;
    }
}
