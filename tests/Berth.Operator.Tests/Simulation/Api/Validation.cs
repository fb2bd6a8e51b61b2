using System.Text.Json.Nodes;
using Berth.Resources;

namespace Berth.Operator.Tests;

/// <summary>What an API refuses of an update, as far as a defect of the operator could run into it.</summary>
internal static class Validation
{
    internal static void Check(Revision former, JsonObject next, bool withoutRules)
    {
        var (kind, name) = (former.Kind, former.Key.Name);
        if (former.IsEnding && Finalizers(next).Except(Finalizers(former.Json)).Any())
        {
            throw ApiErrors.Invalid(kind, name, "metadata.finalizers: no new finalizers can be added if the object is being deleted");
        }

        switch (kind.Kind)
        {
            case "Pod" when !JsonNode.DeepEquals(Without(former.Json["spec"], "nodeName"), Without(next["spec"], "nodeName")):
                throw ApiErrors.Invalid(kind, name, "spec: pod updates may not change fields");
            case "PersistentVolumeClaim"
                when !JsonNode.DeepEquals(Without(former.Json["spec"], "resources", "volumeName"), Without(next["spec"], "resources", "volumeName")):
                throw ApiErrors.Invalid(kind, name, "spec: is immutable after creation except resources.requests for bound claims");
            case "PersistentVolumeClaim" when Quantity.TryParse(SizeOf(former.Json), out var before)
                && Quantity.TryParse(SizeOf(next), out var after) && after < before:
                throw ApiErrors.Forbidden($"spec.resources.requests.storage: field can not be less than previous value");
            case "UserWorkspace" when !withoutRules
                && (OwnerOf(former.Json, "subject") != OwnerOf(next, "subject") || OwnerOf(former.Json, "issuer") != OwnerOf(next, "issuer")):
                throw ApiErrors.Invalid(kind, name, "spec.owner: the owner of a workspace cannot change");
        }
    }

    private static IEnumerable<string> Finalizers(JsonObject obj) =>
        (obj["metadata"]!["finalizers"] as JsonArray ?? []).Select(f => f!.GetValue<string>());

    private static JsonObject? Without(JsonNode? spec, params string[] names)
    {
        var copy = spec?.DeepClone() as JsonObject;
        foreach (var name in names)
        {
            copy?.Remove(name);
        }

        return copy;
    }

    private static string? SizeOf(JsonObject claim) => claim["spec"]?["resources"]?["requests"]?["storage"]?.GetValue<string>();

    private static string? OwnerOf(JsonObject workspace, string field) => workspace["spec"]?["owner"]?[field]?.GetValue<string>();
}
