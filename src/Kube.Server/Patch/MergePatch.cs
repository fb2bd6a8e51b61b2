using System.Text.Json.Nodes;

namespace Kube.Server.Patch;

/// <summary>JSON Merge Patch (RFC 7396), in place.</summary>
internal static class MergePatch
{
    public static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (key, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(key);
                    break;
                case JsonObject inner:
                    if (target[key] is not JsonObject present)
                    {
                        present = [];
                        target[key] = present;
                    }
                    Apply(present, inner);
                    break;
                default:
                    target[key] = value.DeepClone();
                    break;
            }
        }
    }
}
