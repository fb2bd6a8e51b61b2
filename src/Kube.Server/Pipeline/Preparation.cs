using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Server.Apply;
using Kube.Server.Cel;
using Kube.Server.Crd;
using Kube.Server.Kinds;
using Kube.Server.Schema;
using Kube.Server.Storage;

namespace Kube.Server.Pipeline;

/// <summary>
/// From what a client sent to what is stored, without storing it. The order is Kubernetes' own:
/// <code>
///   shape of metadata -> prune -> nulls -> one spelling of quantities -> server's metadata -> status rule -> defaults
///   -> validation (schema, list types, rules) -> generation -> managed fields
/// </code>
/// </summary>
internal sealed class Preparation(KindRegistry registry, ObjectStore store, TimeProvider time)
{
    private readonly ClusterIpAllocator _addresses = new(store);

    public string Now => Rfc3339(time.GetUtcNow());

    public static string Rfc3339(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Checks and cleans what a client sent: apiVersion, kind, metadata, unknown fields, nulls.</summary>
    public static void Normalise(JsonObject obj, KindInfo kind, WriteOptions options, IReadOnlyList<string> duplicates, bool isPatch)
    {
        if (obj["apiVersion"] is null)
        {
            obj["apiVersion"] = kind.ApiVersion;
        }
        if (obj["kind"] is null)
        {
            obj["kind"] = kind.Kind;
        }
        if (Json.Text(obj, "kind") != kind.Kind)
        {
            throw Status.BadRequest(
                $"{Json.Text(obj,
                "kind")} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: the kind in the data does not match the "
                + "resource");
        }
        if (Json.Text(obj, "apiVersion") != kind.ApiVersion)
        {
            throw Status.BadRequest(
                $"the API version in the data ({Json.Text(obj,
                "apiVersion")}) does not match the expected API version ({kind.ApiVersion})");
        }
        MetaValidation.RequireShape(obj);
        var unknown = options.FieldValidation == FieldValidation.Ignore ? null : new List<string>();
        Pruner.Prune(obj, kind.Schema, unknown);
        Pruner.DropNulls(obj, kind.Schema);
        Quantities.Canonicalise(obj, kind.Schema);
        if (unknown is null || (unknown.Count == 0 && duplicates.Count == 0))
        {
            return;
        }
        var problems = unknown.Select(path => $"unknown field \"{path}\"").Concat(duplicates.Select(path => $"duplicate field \"{path}\""))
            .ToList();
        if (options.FieldValidation == FieldValidation.Warn)
        {
            options.Warnings?.AddRange(problems);
            return;
        }
        var strict = "strict decoding error: " + string.Join(", ", problems);
        throw isPatch
            ? Status.Invalid("", "", "", [FieldError.InvalidText("patch", "\"\"", strict)])
            : Status.BadRequest($"{kind.Kind} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: {strict}");
    }

    /// <summary>Completes a new object.</summary>
    public JsonObject Create(KindInfo kind, JsonObject obj, string? ns, string name, WriteOptions options, bool applied)
    {
        var metadata = (JsonObject)obj["metadata"]!;
        metadata["name"] = name;
        if (kind.Namespaced)
        {
            metadata["namespace"] = ns;
        }
        else
        {
            metadata.Remove("namespace");
        }
        foreach (var key in (string[])["selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "generation"])
        {
            metadata.Remove(key);
        }
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Now;
        TidyMetadata(metadata, options);
        if (kind.HasStatus)
        {
            obj.Remove("status");
        }
        var serverSet = ServerFields.Of(kind, obj);
        Complete(kind, obj, null);
        if (HasGeneration(kind))
        {
            metadata["generation"] = 1;
        }
        Check(kind, obj, null, name);
        if (!applied)
        {
            ManagedFields.Update(null, obj, kind, options.FieldManager, "", time.GetUtcNow(), serverSet);
        }
        return obj;
    }

    /// <summary>Completes a changed object. <paramref name="live"/> and <paramref name="next"/> are in the served version.</summary>
    public JsonObject Update(KindInfo kind, JsonObject live, JsonObject next, string subresource, WriteOptions options, bool applied)
    {
        var liveMeta = (JsonObject)live["metadata"]!;
        var managed = Json.At(next, "metadata", "managedFields")?.DeepClone();
        if (subresource == "status")
        {
            var status = next["status"]?.DeepClone();
            next = Json.Clone(live);
            next["status"] = status;
            if (status is null)
            {
                next.Remove("status");
            }
            if (applied || managed is not null)
            {
                Json.Ensure(next, "metadata")["managedFields"] = managed;
            }
        }
        else if (kind.HasStatus)
        {
            next.Remove("status");
            if (live["status"] is { } kept)
            {
                next["status"] = kept.DeepClone();
            }
        }
        var metadata = (JsonObject)next["metadata"]!;
        foreach (var key in (string[])["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generation", "generateName", "selfLink", "resourceVersion"])
        {
            metadata.Remove(key);
            if (liveMeta.TryGetPropertyValue(key, out var value))
            {
                metadata[key] = value?.DeepClone();
            }
        }
        TidyMetadata(metadata, options);
        if (kind is { Kind: "Namespace", Group: "" } && subresource.Length == 0)
        {
            next["spec"] = live["spec"]?.DeepClone();
        }
        Complete(kind, next, live);
        CheckFinalizers(kind, liveMeta, metadata, next);
        Check(kind, next, live, Json.Text(liveMeta, "name")!);
        if (HasGeneration(kind) && subresource != "status" && ObjectComparison.SpecDiffers(kind, live, next))
        {
            metadata["generation"] = (Json.AsLong(liveMeta["generation"]) ?? 0) + 1;
        }
        if (!applied)
        {
            var serverSet = subresource == "status" ? null : ServerFields.Status(kind);
            ManagedFields.Update(live, next, kind, options.FieldManager, subresource, time.GetUtcNow(), serverSet);
        }
        return next;
    }

    public static bool HasGeneration(KindInfo kind) =>
        kind.IsCustom || kind.Kind is "Pod" or "NetworkPolicy" or "Ingress" or "PodDisruptionBudget"
            or "CustomResourceDefinition" or "PriorityClass";

    private void Complete(KindInfo kind, JsonObject obj, JsonObject? live)
    {
        Defaulter.Apply(obj, kind.Schema);
        if (kind.IsCustom)
        {
            return;
        }
        Strategy.Default(kind, obj, live, _addresses.Allocate, time.GetUtcNow());
        if (kind.Resource == KindRegistry.Crds)
        {
            CrdCompiler.Establish(obj, registry.Table, time.GetUtcNow());
        }
    }

    private void Check(KindInfo kind, JsonObject obj, JsonObject? live, string name)
    {
        var errors = new List<FieldError>();
        MetaValidation.Validate(obj, kind, errors);
        var schemaErrors = new List<FieldError>();
        SchemaValidator.Validate(obj, kind.Schema, "", schemaErrors);
        if (!kind.IsCustom && schemaErrors.FirstOrDefault(e => e.Undecodable) is { } wrongType)
        {
            // A built-in kind with a wrong type cannot be decoded at all.
            throw Status.BadRequest(
                $"{kind.Kind} in version \"{kind.Version}\" cannot be handled as a {kind.Kind}: json: cannot unmarshal: "
                + $"{wrongType.Field}: {wrongType.Message}");
        }
        if (kind.IsCustom)
        {
            // The lists of built-in kinds have rules of their own: a second environment variable of a name, for one, is allowed.
            ListTypes.Validate(obj, kind.Schema, "", schemaErrors);
        }
        if (schemaErrors.Count == 0)
        {
            CelValidator.Validate(obj, live, live is not null, kind.Schema, schemaErrors);
        }
        else if (kind.Schema.AnyValidation)
        {
            schemaErrors.Add(
                FieldError.InvalidText("<nil>", "\"null\"",
                "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
                + "validation"));
        }
        errors.AddRange(schemaErrors);
        if (!kind.IsCustom)
        {
            var more = new List<FieldError>();
            Strategy.Validate(kind, obj, live, more);
            errors.AddRange(more.Where(e => !errors.Any(known => known.Field == e.Field && known.Reason == e.Reason)));
        }
        if (errors.Count > 0)
        {
            throw Status.Invalid(kind.Group, kind.Kind, name, errors);
        }
        if (kind is { Group: "", Kind: "PersistentVolumeClaim" } && live is not null)
        {
            CheckGrowth(kind, obj, live, name);
        }
    }

    // What a cluster's admission plugin PersistentVolumeClaimResize does.
    private void CheckGrowth(KindInfo kind, JsonObject obj, JsonObject live, string name)
    {
        var before = PodStrategy.Amount(Json.At(live, "spec", "resources", "requests", "storage"));
        if (!(PodStrategy.Amount(Json.At(obj, "spec", "resources", "requests", "storage")) > before))
        {
            return;
        }
        if (Json.Text(live, "status", "phase") != "Bound")
        {
            throw Status.Forbidden(kind.Resource, name, "Only bound persistent volume claims can be expanded");
        }
        var storageClass = Json.Text(obj, "spec", "storageClassName") is { Length: > 0 } named
            ? store.State.Get(GroupResource.StorageClasses, named)?.Value
            : null;
        if (!Json.AsBool(storageClass?["allowVolumeExpansion"]))
        {
            throw Status.Forbidden(kind.Resource, name,
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
        }
    }

    private static void CheckFinalizers(KindInfo kind, JsonObject liveMeta, JsonObject metadata, JsonObject next)
    {
        if (liveMeta["deletionTimestamp"] is null)
        {
            return;
        }
        var before = Json.StringItems(liveMeta["finalizers"]).ToHashSet(StringComparer.Ordinal);
        var added = Json.StringItems(metadata["finalizers"]).Where(f => !before.Contains(f)).ToList();
        if (added.Count > 0)
        {
            throw Status.Invalid(kind.Group, kind.Kind, Json.Text(next, "metadata", "name")!,
                [FieldError.Forbidden("metadata.finalizers",
                    $"no new finalizers can be added if the object is being deleted, found new finalizers [{string.Join(", ",
                    added.Select(a => $"\"{a}\""))}]")]);
        }
    }

    // Owners are named once, and what is empty is left out.
    private static void TidyMetadata(JsonObject metadata, WriteOptions options)
    {
        var owners = metadata["ownerReferences"] as JsonArray ?? [];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var owner in owners.ToList())
        {
            if (!seen.Add(Json.ToText(owner)))
            {
                owners.Remove(owner);
                options.Warnings?.Add(
                    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject "
                    + "such requests as early as 1.24; please fix your requests");
            }
        }
        foreach (var key in (string[])["finalizers", "ownerReferences", "labels", "annotations"])
        {
            if (metadata[key] is JsonArray { Count: 0 } or JsonObject { Count: 0 })
            {
                metadata.Remove(key);
            }
        }
    }
}
