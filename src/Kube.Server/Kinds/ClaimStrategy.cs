using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>Rules of persistent volume claims: only the size may change, and only grow.</summary>
internal static class ClaimStrategy
{
    public static void Validate(JsonObject claim, JsonObject? old, List<FieldError> errors)
    {
        var spec = claim["spec"] as JsonObject ?? [];
        if (spec["accessModes"] is not JsonArray { Count: > 0 })
        {
            errors.Add(FieldError.Required("spec.accessModes", "at least 1 access mode is required"));
        }
        foreach (var mode in Json.StringItems(spec["accessModes"]))
        {
            if (mode is not ("ReadWriteOnce" or "ReadOnlyMany" or "ReadWriteMany" or "ReadWriteOncePod"))
            {
                errors.Add(FieldError.NotSupported("spec.accessModes", mode,
                    ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]));
            }
        }
        var size = Json.At(spec, "resources", "requests", "storage");
        if (size is null)
        {
            errors.Add(FieldError.Required("spec.resources[storage]"));
        }
        else if (PodStrategy.Amount(size) is not { } amount)
        {
            throw Status.BadRequest("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
        }
        else if (amount <= 0)
        {
            errors.Add(FieldError.Invalid("spec.resources[storage]", size.DeepClone(), "must be greater than zero"));
        }
        if (old is null)
        {
            return;
        }
        var now = Json.Clone(spec);
        var before = Json.Clone(old["spec"] as JsonObject ?? []);
        var oldSize = Json.At(before, "resources", "requests", "storage");
        if (size is not null && oldSize is not null && PodStrategy.Amount(size) < PodStrategy.Amount(oldSize))
        {
            errors.Add(FieldError.Forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
        }
        foreach (var copy in (JsonObject[])[now, before])
        {
            (Json.At(copy, "resources", "requests") as JsonObject)?.Remove("storage");
        }
        // Binding: the volume and the class are filled in once.
        foreach (var key in (string[])["volumeName", "storageClassName"])
        {
            if (before[key] is null)
            {
                now.Remove(key);
            }
        }
        if (!Json.DeepEquals(now, before))
        {
            errors.Add(FieldError.Forbidden("spec",
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
        }
    }
}
