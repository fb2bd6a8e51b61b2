using System.Text.Json.Nodes;

namespace Berth.Operator.Tests;

/// <summary>Which lists of a kind are merged item by item, and by which fields; all others are one value. As the API's schemas say.</summary>
internal sealed class ListKeys
{
    private static readonly Dictionary<string, string[]> Common = new(StringComparer.Ordinal)
    {
        ["metadata.ownerReferences"] = ["uid"],
        ["metadata.finalizers"] = [],
    };

    private static readonly Dictionary<string, Dictionary<string, string[]>> ByKind = new(StringComparer.Ordinal)
    {
        ["Service"] = new(StringComparer.Ordinal) { ["spec.ports"] = ["port", "protocol"] },
        ["UserWorkspace"] = new(StringComparer.Ordinal)
        {
            ["spec.sharing"] = ["subject"],
            ["spec.lifetime.holds"] = ["name"],
            ["status.conditions"] = ["type"],
        },
    };

    private readonly Dictionary<string, string[]> _own;

    private ListKeys(Dictionary<string, string[]> own) => _own = own;

    internal static ListKeys For(string kind) => new(ByKind.GetValueOrDefault(kind) ?? []);

    /// <summary>Fields that say which object is meant, or that the server writes: nobody owns them.</summary>
    internal static bool Names(string path) => path is "apiVersion" or "kind" or "metadata.name" or "metadata.namespace" or "metadata.uid"
        or "metadata.resourceVersion" or "metadata.generation" or "metadata.creationTimestamp" or "metadata.deletionTimestamp"
        or "metadata.deletionGracePeriodSeconds" or "metadata.managedFields" or "metadata.generateName";

    /// <summary>Objects that are one value all the same: label selectors and references.</summary>
    internal static bool IsAtomic(string path) => path is "spec.selector" or "spec.podSelector" or "metadata.ownerReferences[]";

    internal bool IsKeyed(string path) => Common.ContainsKey(path) || _own.ContainsKey(path);

    internal string KeyOf(JsonNode item, string path)
    {
        var fields = Common.GetValueOrDefault(path) ?? _own[path];
        return fields.Length == 0
            ? "=" + item.ToJsonString()
            : string.Join(',', fields.Select(f => $"{f}={item[f]?.ToJsonString() ?? Default(f)}"));
    }

    internal JsonNode? Find(JsonArray list, string path, string key) => list.FirstOrDefault(i => KeyOf(i!, path) == key);

    private static string Default(string field) => field == "protocol" ? "\"TCP\"" : "";
}
