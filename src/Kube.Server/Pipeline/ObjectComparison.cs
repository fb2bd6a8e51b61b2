using System.Text.Json.Nodes;
using Kube.Server.Kinds;

namespace Kube.Server.Pipeline;

/// <summary>Whether a write changes anything.</summary>
internal static class ObjectComparison
{
    /// <summary>Equality of objects in which the times of managed fields do not count.</summary>
    public static bool SameObject(JsonObject a, JsonObject b)
    {
        foreach (var key in a.Select(p => p.Key).Union(b.Select(p => p.Key)))
        {
            if (key != "metadata" && !Json.DeepEquals(a[key], b[key]))
            {
                return false;
            }
        }
        if (a["metadata"] is not JsonObject x || b["metadata"] is not JsonObject y)
        {
            return false;
        }
        foreach (var key in x.Select(p => p.Key).Union(y.Select(p => p.Key)))
        {
            if (key != "managedFields" && !Json.DeepEquals(x[key], y[key]))
            {
                return false;
            }
        }
        var left = Json.Objects(x["managedFields"]).ToList();
        var right = Json.Objects(y["managedFields"]).ToList();
        return left.Count == right.Count && left.All(entry => right.Any(other => SameEntry(entry, other)));
    }

    public static bool SpecDiffers(KindInfo kind, JsonObject before, JsonObject after) =>
        before.Select(p => p.Key).Union(after.Select(p => p.Key))
            .Any(key => key != "metadata" && !(kind.HasStatus && key == "status") && !Json.DeepEquals(before[key], after[key]));

    private static bool SameEntry(JsonObject a, JsonObject b) =>
        a.Count == b.Count
            && a.All(pair => pair.Key == "time" || (b.TryGetPropertyValue(pair.Key, out var other) && Json.DeepEquals(pair.Value, other)));
}
