using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Apply;

/// <summary>
/// Who manages what: read from and written to metadata.managedFields, updated by every write, and the whole of server-side apply.
/// </summary>
internal static class ManagedFields
{
    private const int MaxUpdateManagers = 10;

    // Not owned by anybody: the server's own fields, and those that cannot change.
    private static readonly FieldSet Ignored = FieldSet.FromJson(JsonNode.Parse("""
        {"f:apiVersion":{},"f:kind":{},"f:metadata":{"f:name":{},"f:namespace":{},"f:creationTimestamp":{},"f:selfLink":{},"f:uid":{},
         "f:clusterName":{},
         "f:generation":{},"f:managedFields":{},"f:resourceVersion":{}}}
        """));

    private sealed record Manager(string Name, string Operation, string ApiVersion, string Subresource)
    {
        public string? Time { get; set; }

        public FieldSet Fields { get; set; } = new();
    }

    /// <summary>
    /// Books the difference between two objects on the writer (operation Update) and writes the entries into <paramref name="after"/>. What
    /// the server itself put there (<paramref name="serverSet"/>) is nobody's.
    /// </summary>
    public static void Update(
        JsonObject? before, JsonObject after, KindInfo kind, string manager, string subresource, DateTimeOffset now,
        FieldSet? serverSet = null)
    {
        var given = Json.At(after, "metadata", "managedFields") as JsonArray;
        // An empty list, or one with an empty entry, is the caller's way to start over.
        var reset = given is not null && before is not null && (given.Count == 0 || given is [JsonObject { Count: 0 }]);
        var managers = reset ? [] : Read(before ?? (given is { Count: > 0 } ? after : null));
        var (changed, removed) = Diff(before, after, kind);
        if (serverSet is not null)
        {
            changed = changed.ExceptSubtrees(serverSet);
        }
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
    public static JsonObject Apply(JsonObject? live, JsonObject config, KindInfo kind, string manager, string subresource, bool force,
        DateTimeOffset now)
    {
        var managers = Read(live);
        var schema = kind.Schema;
        var set = new FieldSet();
        TypedValue.Collect(config, schema, set);
        set = set.ExceptSubtrees(Ignored);
        var mine = Find(managers, manager, "Apply", kind.ApiVersion, subresource)
            ?? managers.FirstOrDefault(m => m.Name == manager && m.Operation == "Apply" && m.Subresource == subresource);
        var last = mine?.Fields ?? new FieldSet();
        var merged = live is null ? Json.Clone(config) : (JsonObject)TypedValue.Merge(Json.Clone(live), config, schema)!;

        // What this manager stated last time and no longer does goes, unless somebody else states it.
        var others = managers.Where(m => !ReferenceEquals(m, mine)).Aggregate(new FieldSet(), (all, m) => all.Union(m.Fields));
        var gone = last.WithPrefixes().Except(set.WithPrefixes()).Except(others.WithPrefixes());
        gone.Member = false;
        TypedValue.Remove(merged, schema, gone);

        var (changed, removed) = Diff(live, merged, kind);
        var conflicts = managers.Where(m => !ReferenceEquals(m, mine))
            .Select(m => (Manager: m, Fields: m.Fields.Intersect(changed))).Where(c => !c.Fields.IsEmpty && c.Fields.Paths().Any())
                .ToList();
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
        return (Clean(changed.ExceptSubtrees(Ignored), kind), Clean(removed.ExceptSubtrees(Ignored), kind));
    }

    // The object itself is nobody's; nor is a part that every object of the kind has.
    private static FieldSet Clean(FieldSet set, KindInfo kind)
    {
        set.Member = false;
        foreach (var part in (string[])(kind.IsCustom ? ["f:metadata"] : ["f:metadata", "f:spec", "f:status"]))
        {
            if (set.Children.TryGetValue(part, out var fields))
            {
                fields.Member = false;
                if (fields.IsEmpty)
                {
                    set.Children.Remove(part);
                }
            }
        }
        return set;
    }

    // One conflict is a line; several are listed by manager, in the order of the managers' names.
    private static ApiException ConflictError(List<(Manager Manager, FieldSet Fields)> conflicts)
    {
        var causes = new JsonArray();
        var text = new StringBuilder();
        foreach (var (manager, fields) in conflicts.OrderBy(c => c.Manager.Name, StringComparer.Ordinal)
            .ThenBy(c => c.Manager.Operation, StringComparer.Ordinal)
            .ThenBy(c => c.Manager.ApiVersion, StringComparer.Ordinal).ThenBy(c => c.Manager.Time, StringComparer.Ordinal))
        {
            var shown = Print(manager);
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : "\n")}conflicts with {shown}:");
            foreach (var path in fields.Paths())
            {
                causes.Add((JsonNode)new JsonObject
                {
                    ["reason"] = "FieldManagerConflict",
                    ["message"] = $"conflict with {shown}",
                    ["field"] = path
                });
                text.Append(CultureInfo.InvariantCulture, $"\n- {path}");
            }
        }
        var message = causes is [JsonObject only]
            ? $"Apply failed with 1 conflict: {Json.Text(only, "message")}: {Json.Text(only, "field")}"
            : $"Apply failed with {causes.Count} conflicts: {text}";
        return new ApiException(409, "Conflict", message, new JsonObject { ["causes"] = causes });
    }

    private static string Print(Manager manager)
    {
        var text = Json.ToText(manager.Name) + (manager.Subresource.Length > 0 ? $" with subresource \"{manager.Subresource}\"" : "");
        return manager.Operation != "Update" ? text : $"{text} using {manager.ApiVersion}";
    }

    private static Manager? Find(List<Manager> managers, string name, string operation, string apiVersion, string subresource) =>
        managers.FirstOrDefault(m =>
            m.Name == name && m.Operation == operation && m.ApiVersion == apiVersion && m.Subresource == subresource);

    private static List<Manager> Read(JsonObject? obj) =>
        Json.Objects(Json.At(obj, "metadata", "managedFields")).Where(entry => entry.Count > 0)
        .Select(entry =>
            new Manager(Json.Text(entry, "manager") ?? "", Json.Text(entry, "operation") ?? "Update", Json.Text(entry, "apiVersion") ?? "",
            Json.Text(entry, "subresource") ?? "")
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
            var joined = new Manager("ancient-changes", "Update", second.ApiVersion, second.Subresource)
            {
                Time = second.Time,
                Fields = first.Fields.Union(second.Fields)
            };
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
        foreach (var manager in managers.OrderBy(m => m.Operation, StringComparer.Ordinal).ThenBy(m => m.Time, StringComparer.Ordinal)
            .ThenBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.Subresource, StringComparer.Ordinal))
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
