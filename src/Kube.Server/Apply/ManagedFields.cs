using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Apply;

/// <summary>Who manages what: read from and written to metadata.managedFields, updated by every write, and the whole of server-side apply.</summary>
internal static class ManagedFields
{
    private const int MaxUpdateManagers = 10;

    // Not owned by anybody: the server's own fields, and those that cannot change.
    private static readonly FieldSet Ignored = FieldSet.FromJson(JsonNode.Parse("""
        {"f:apiVersion":{},"f:kind":{},"f:metadata":{"f:name":{},"f:namespace":{},"f:creationTimestamp":{},"f:selfLink":{},"f:uid":{},"f:clusterName":{},
         "f:generation":{},"f:managedFields":{},"f:resourceVersion":{}}}
        """));

    private sealed record Manager(string Name, string Operation, string ApiVersion, string Subresource)
    {
        public string? Time { get; set; }

        public FieldSet Fields { get; set; } = new();
    }

    /// <summary>Books the difference between two objects on the writer (operation Update) and writes the entries into <paramref name="after"/>.</summary>
    public static void Update(JsonObject? before, JsonObject after, KindInfo kind, string manager, string subresource, DateTimeOffset now)
    {
        var given = Json.At(after, "metadata", "managedFields") as JsonArray;
        // An empty list, or one with an empty entry, is the caller's way to start over.
        var reset = given is not null && before is not null && (given.Count == 0 || given is [JsonObject { Count: 0 }]);
        var managers = reset ? [] : Read(before ?? (given is { Count: > 0 } ? after : null));
        var (changed, removed) = Diff(before, after, kind);
        if (reset)
        {
            Write(after, []);
            return;
        }
        var taken = changed.Union(removed);
        foreach (var other in managers)
        {
            other.Fields = other.Fields.Except(taken);
        }
        var mine = Find(managers, manager, "Update", kind.ApiVersion, subresource);
        if (!changed.IsEmpty)
        {
            if (mine is null)
            {
                managers.Add(mine = new Manager(manager, "Update", kind.ApiVersion, subresource));
            }
            mine.Fields = mine.Fields.Union(changed);
            mine.Time = Time(now);
        }
        Cap(managers);
        Write(after, managers);
    }

    /// <summary>Server-side apply. Returns the merged object with its entries, or throws the 409 that lists the conflicts.</summary>
    public static JsonObject Apply(JsonObject? live, JsonObject config, KindInfo kind, string manager, string subresource, bool force, DateTimeOffset now)
    {
        var managers = Read(live);
        var schema = kind.Schema;
        var set = new FieldSet();
        TypedValue.Collect(config, schema, set);
        set = set.ExceptSubtrees(Ignored);
        var mine = Find(managers, manager, "Apply", kind.ApiVersion, subresource) ?? managers.FirstOrDefault(m => m.Name == manager && m.Operation == "Apply" && m.Subresource == subresource);
        var last = mine?.Fields ?? new FieldSet();
        var merged = live is null ? Json.Clone(config) : (JsonObject)TypedValue.Merge(Json.Clone(live), config, schema)!;

        // What this manager stated last time and no longer does goes, unless somebody else states it.
        var others = managers.Where(m => !ReferenceEquals(m, mine)).Aggregate(new FieldSet(), (all, m) => all.Union(m.Fields));
        var gone = last.WithPrefixes().Except(set.WithPrefixes()).Except(others.WithPrefixes());
        gone.Member = false;
        TypedValue.Remove(merged, schema, gone);

        var (changed, removed) = Diff(live, merged, kind);
        var conflicts = managers.Where(m => !ReferenceEquals(m, mine))
            .Select(m => (Manager: m, Fields: m.Fields.Intersect(changed))).Where(c => !c.Fields.IsEmpty && c.Fields.Paths().Any()).ToList();
        if (conflicts.Count > 0 && !force)
        {
            throw ConflictError(conflicts);
        }
        foreach (var (other, fields) in conflicts)
        {
            other.Fields = other.Fields.Except(fields);
        }
        foreach (var other in managers.Where(m => !ReferenceEquals(m, mine)))
        {
            other.Fields = other.Fields.Except(removed);
        }
        if (mine is null)
        {
            managers.Add(mine = new Manager(manager, "Apply", kind.ApiVersion, subresource) { Time = Time(now), Fields = set });
        }
        else if (!mine.Fields.SameAs(set) || !changed.IsEmpty)
        {
            mine.Fields = set;
            mine.Time = Time(now);
        }
        Cap(managers);
        Write(merged, managers);
        return merged;
    }

    private static (FieldSet Changed, FieldSet Removed) Diff(JsonObject? before, JsonObject after, KindInfo kind)
    {
        var changed = new FieldSet();
        var removed = new FieldSet();
        TypedValue.Compare(before ?? [], true, after, true, kind.Schema, changed, removed);
        changed = Clean(changed.ExceptSubtrees(Ignored));
        return (changed, Clean(removed.ExceptSubtrees(Ignored)));
    }

    private static FieldSet Clean(FieldSet set)
    {
        set.Member = false;
        if (set.Children.TryGetValue("f:metadata", out var metadata))
        {
            metadata.Member = false;
            if (metadata.IsEmpty)
            {
                set.Children.Remove("f:metadata");
            }
        }
        return set.Union(new FieldSet());
    }

    private static ApiException ConflictError(List<(Manager Manager, FieldSet Fields)> conflicts)
    {
        var causes = new JsonArray();
        var lines = new List<string>();
        var count = 0;
        foreach (var (manager, fields) in conflicts)
        {
            var with = manager.Operation == "Apply" && manager.Subresource.Length == 0
                ? $"conflict with \"{manager.Name}\""
                : $"conflict with \"{manager.Name}\"{(manager.Subresource.Length > 0 ? $" with subresource \"{manager.Subresource}\"" : "")} using {manager.ApiVersion}{(manager.Time is { } t && manager.Operation == "Update" ? $" at {t}" : "")}";
            var paths = fields.Paths().ToList();
            count += paths.Count;
            foreach (var path in paths)
            {
                causes.Add((JsonNode)new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = with, ["field"] = path });
            }
            lines.Add(paths.Count == 1 && conflicts.Count == 1 ? $"{with}: {paths[0]}" : $"{with}s:\n{string.Join("\n", paths.Select(p => "- " + p))}".Replace("conflict with", "conflicts with", StringComparison.Ordinal).Replace("\"s:", "\":", StringComparison.Ordinal));
        }
        var text = string.Join("\n", lines);
        return new ApiException(409, "Conflict", $"Apply failed with {count} conflict{(count == 1 ? "" : "s")}: {text}", new JsonObject { ["causes"] = causes });
    }

    private static Manager? Find(List<Manager> managers, string name, string operation, string apiVersion, string subresource) =>
        managers.FirstOrDefault(m => m.Name == name && m.Operation == operation && m.ApiVersion == apiVersion && m.Subresource == subresource);

    private static List<Manager> Read(JsonObject? obj) => Json.Objects(Json.At(obj, "metadata", "managedFields")).Where(entry => entry.Count > 0)
        .Select(entry => new Manager(Json.Text(entry, "manager") ?? "", Json.Text(entry, "operation") ?? "Update", Json.Text(entry, "apiVersion") ?? "", Json.Text(entry, "subresource") ?? "")
        {
            Time = Json.Text(entry, "time"),
            Fields = FieldSet.FromJson(entry["fieldsV1"]),
        }).ToList();

    // Writers with ever new names must not make the object grow for ever: the oldest Update entries become one.
    private static void Cap(List<Manager> managers)
    {
        managers.RemoveAll(m => m.Fields.IsEmpty);
        var updates = managers.Where(m => m.Operation == "Update").OrderBy(m => m.Time, StringComparer.Ordinal).ToList();
        while (updates.Count > MaxUpdateManagers)
        {
            var (first, second) = (updates[0], updates[1]);
            var joined = new Manager("ancient-changes", "Update", second.ApiVersion, second.Subresource) { Time = second.Time, Fields = first.Fields.Union(second.Fields) };
            managers.Remove(first);
            managers.Remove(second);
            managers.Add(joined);
            updates.RemoveRange(0, 2);
            updates.Insert(0, joined);
        }
    }

    private static void Write(JsonObject obj, List<Manager> managers)
    {
        var metadata = Json.Ensure(obj, "metadata");
        metadata.Remove("managedFields");
        if (managers.Count == 0)
        {
            return;
        }
        var array = new JsonArray();
        foreach (var manager in managers.OrderBy(m => m.Operation, StringComparer.Ordinal).ThenBy(m => m.Time, StringComparer.Ordinal).ThenBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.Subresource, StringComparer.Ordinal))
        {
            var entry = new JsonObject
            {
                ["manager"] = manager.Name,
                ["operation"] = manager.Operation,
                ["apiVersion"] = manager.ApiVersion,
                ["time"] = manager.Time,
                ["fieldsType"] = "FieldsV1",
                ["fieldsV1"] = manager.Fields.ToJson(),
            };
            if (manager.Subresource.Length > 0)
            {
                entry["subresource"] = manager.Subresource;
            }
            array.Add((JsonNode)entry);
        }
        metadata["managedFields"] = array;
    }

    private static string Time(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
