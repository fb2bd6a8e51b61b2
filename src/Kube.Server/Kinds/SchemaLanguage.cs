using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>
/// Reads builtin.schema. Notation, by line:
/// <code>
///   type NAME: description [@atomic]                     a shared definition (atomic: owned as a whole in server-side apply)
///   kind GROUP/VERSION KIND PLURAL [short(a,b)] [categories(a)] [cluster] [status]: description
///   review GROUP/VERSION KIND PLURAL [cluster]: description      answered, not stored
///     field[!] TYPE [options]: description               ! = required
/// </code>
/// TYPE: string int32 int64 bool number time bytes quantity intstr any [TYPE] map&lt;TYPE&gt; or a defined NAME.
/// Options: enum(a|b) default(x) nullable atomic set mergeset listmap(k,..) merge(k). A listmap merges by its first key in a strategic
/// merge patch.
/// </summary>
internal static class SchemaLanguage
{
    public sealed record Result(IReadOnlyDictionary<string, SchemaNode> Types, IReadOnlyList<KindInfo> Kinds);

    public static Result Read(string text)
    {
        var types = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        var kinds = new List<KindInfo>();
        SchemaNode? current = null;
        // Definitions may be used before the line that makes them.
        foreach (var line in text.Split('\n').Where(line => line.StartsWith("type ", StringComparison.Ordinal)))
        {
            var name = line[5..line.IndexOf(": ", StringComparison.Ordinal)];
            types[name] = new SchemaNode { Type = "object", TypeName = name };
        }
        foreach (var line in text.Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            var head = line[..colon].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var description = line[(colon + 2)..].Trim();
            if (line[0] == ' ')
            {
                AddField(current!, head, description, types);
                continue;
            }
            current = head[0] == "type" ? types[head[1]] : new SchemaNode { Type = "object" };
            if (description.EndsWith(" @atomic", StringComparison.Ordinal))
            {
                description = description[..^8];
                current.AtomicMap = true;
            }
            current.Description = description;
            if (head[0] != "type")
            {
                kinds.Add(ReadKind(head, current, description, types));
            }
        }
        foreach (var kind in kinds)
        {
            MarkDefaults(kind.Schema);
            MarkQuantities(kind.Schema);
        }
        return new Result(types, kinds);
    }

    private static bool MarkDefaults(SchemaNode node)
    {
        var any = node.HasDefault;
        foreach (var child in node.Properties.Values)
        {
            any |= MarkDefaults(child);
        }
        any |= node.Items is { } items && MarkDefaults(items);
        any |= node.AdditionalProperties is { } additional && MarkDefaults(additional);
        return node.AnyDefault = any;
    }

    private static bool MarkQuantities(SchemaNode node)
    {
        var any = node.Format == "quantity";
        foreach (var child in node.Properties.Values)
        {
            any |= MarkQuantities(child);
        }
        any |= node.Items is { } items && MarkQuantities(items);
        any |= node.AdditionalProperties is { } additional && MarkQuantities(additional);
        return node.AnyQuantity = any;
    }

    private static KindInfo ReadKind(string[] head, SchemaNode schema, string description, Dictionary<string, SchemaNode> types)
    {
        var slash = head[1].IndexOf('/', StringComparison.Ordinal);
        var (group, version, kind, plural) = (head[1][..slash], head[1][(slash + 1)..], head[2], head[3]);
        schema.Properties["apiVersion"] = new SchemaNode { Type = "string", Description = "Group and version of the object" };
        schema.Properties["kind"] = new SchemaNode { Type = "string", Description = "Kind of the object" };
        schema.Properties["metadata"] = types["meta.v1.ObjectMeta"];
        return new KindInfo
        {
            Group = group,
            Version = version,
            StorageVersion = version,
            Kind = kind,
            Plural = plural,
            Singular = kind.ToLowerInvariant(),
            ListKind = kind + "List",
            ShortNames = Argument(head, "short")?.Split(',') ?? [],
            Categories = Argument(head, "categories")?.Split(',') ?? [],
            Namespaced = !head.Contains("cluster"),
            HasStatus = head.Contains("status"),
            IsReview = head[0] == "review",
            Storage = group == "events.k8s.io" ? GroupResource.Events : new GroupResource(group, plural),
            Schema = schema,
            Description = description,
            Columns = BuiltinColumns.For(group, kind),
        };
    }

    private static void AddField(SchemaNode owner, string[] head, string description, Dictionary<string, SchemaNode> types)
    {
        var name = head[0].TrimEnd('!');
        if (head[0].EndsWith('!'))
        {
            owner.Required.Add(name);
        }
        var node = Type(head[1], types);
        if (node.TypeName.Length == 0)
        {
            node.Description = description;
        }
        if (Argument(head, "enum") is { } values)
        {
            node.Enum = Json.Strings(values.Split('|').Order(StringComparer.Ordinal));
        }
        if (Argument(head, "default") is { } value)
        {
            node.HasDefault = true;
            node.Default = JsonValue.Create(value);
        }
        node.Nullable |= head.Contains("nullable");
        node.AtomicMap |= head.Contains("atomic");
        node.PatchMerge = head.Contains("mergeset");
        if (head.Contains("set"))
        {
            node.ListType = "set";
        }
        if (Argument(head, "listmap") is { } keys)
        {
            node.ListType = "map";
            node.ListMapKeys.AddRange(keys.Split(','));
            node.PatchMergeKey = Argument(head, "merge") ?? node.ListMapKeys[0];
            node.PatchMerge = true;
        }
        owner.Properties[name] = node;
    }

    private static SchemaNode Type(string text, Dictionary<string, SchemaNode> types)
    {
        if (text[0] == '[')
        {
            return new SchemaNode { Type = "array", Items = Type(text[1..^1], types) };
        }
        if (text.StartsWith("map<", StringComparison.Ordinal))
        {
            return new SchemaNode { Type = "object", AdditionalProperties = Type(text[4..^1], types) };
        }
        return text switch
        {
            "string" => new SchemaNode { Type = "string" },
            "int32" or "int64" => new SchemaNode { Type = "integer", Format = text },
            "bool" => new SchemaNode { Type = "boolean" },
            "number" => new SchemaNode { Type = "number" },
            "time" => new SchemaNode { Type = "string", Format = "date-time" },
            "bytes" => new SchemaNode { Type = "string", Format = "byte" },
            "quantity" => new SchemaNode { Format = "quantity" },
            "intstr" => new SchemaNode { IntOrString = true },
            "any" => new SchemaNode { PreserveUnknownFields = true },
            _ => types[text],
        };
    }

    private static string? Argument(string[] head, string option)
    {
        var found = Array.Find(head, word => word.StartsWith(option + "(", StringComparison.Ordinal));
        return found?[(option.Length + 1)..^1];
    }
}
