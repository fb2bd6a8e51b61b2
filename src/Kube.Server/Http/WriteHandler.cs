using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Patch;
using Kube.Server.Pipeline;
using Kube.Server.Schema;
using Kube.Server.Storage;

namespace Kube.Server.Http;

/// <summary>POST, PUT, PATCH and DELETE of objects and their status, scale, finalize and binding.</summary>
internal sealed class WriteHandler(ClusterApi api, ReadHandler reads)
{
    private const string JsonPatchType = "application/json-patch+json";
    private const string MergePatchType = "application/merge-patch+json";
    private const string StrategicType = "application/strategic-merge-patch+json";
    private const string ApplyType = "application/apply-patch+yaml";

    public async Task CreateAsync(ApiRequest request)
    {
        var duplicates = new List<string>();
        var body = await Body.ObjectAsync(request.Http, duplicates).ConfigureAwait(false);
        var created = await api.Writer.CreateAsync(request.Kind, request.Path.Namespace, body, request.WriteOptions(),
            duplicates).ConfigureAwait(false);
        await reads.ObjectAsync(request, 201, created).ConfigureAwait(false);
    }

    public async Task UpdateAsync(ApiRequest request)
    {
        var duplicates = new List<string>();
        var body = await Body.ObjectAsync(request.Http, duplicates).ConfigureAwait(false);
        if (request.Subresource == "scale")
        {
            await ScaleAsync(request, _ => body).ConfigureAwait(false);
            return;
        }
        if (request is { Subresource: "finalize", Kind: { Group: "", Kind: "Namespace" } })
        {
            var finalized = await FinalizeAsync(api, request.Name, Json.At(body, "spec", "finalizers") as JsonArray
                ?? []).ConfigureAwait(false);
            await reads.ObjectAsync(request, 200, finalized).ConfigureAwait(false);
            return;
        }
        if (request.Kind.IsCustom && string.IsNullOrEmpty(Json.Text(body, "metadata", "resourceVersion")))
        {
            _ = api.Store.State.Get(request.Kind.Storage, StoredObject.KeyOf(request.Namespace, request.Name))
                ?? throw Status.NotFound(request.Kind.Resource, request.Name);
            throw Status.Invalid(request.Kind.Group, request.Kind.Kind, request.Name,
                [FieldError.InvalidText("metadata.resourceVersion", "0x0", "must be specified for an update")]);
        }
        var updated = await api.Writer.UpdateAsync(
            request.Kind, request.Namespace, request.Name, request.Subresource, request.WriteOptions(), _ =>
                Json.Clone(body), duplicates, isPatch: false).ConfigureAwait(false);
        await reads.ObjectAsync(request, 200, updated).ConfigureAwait(false);
    }

    public async Task PatchAsync(ApiRequest request)
    {
        var type = Body.MediaType(request.Http.Request);
        if (type is not (JsonPatchType or MergePatchType or ApplyType) && !(type == StrategicType && !request.Kind.IsCustom))
        {
            string[] supported = request.Kind.IsCustom
                ? [JsonPatchType, MergePatchType, ApplyType]
                : [JsonPatchType, MergePatchType, StrategicType, ApplyType];
            throw Status.UnsupportedMediaType(type, supported);
        }
        var duplicates = new List<string>();
        var bytes = await Body.ReadAsync(request.Http).ConfigureAwait(false);
        if (type == ApplyType)
        {
            var config = Body.AsObject(Body.ParseYaml(bytes, duplicates));
            if (request.Subresource == "scale")
            {
                throw Status.UnsupportedMediaType(type, JsonPatchType, MergePatchType);
            }
            var (applied, created) = await api.Writer.ApplyAsync(
                request.Kind, request.Path.Namespace, request.Name, request.Subresource, config, request.WriteOptions(isApply: true),
                duplicates).ConfigureAwait(false);
            await reads.ObjectAsync(request, created ? 201 : 200, applied).ConfigureAwait(false);
            return;
        }
        var patch = Body.ParseJson(bytes, duplicates);
        var change = Change(type, patch, request.Kind);
        if (request.Subresource == "scale")
        {
            await ScaleAsync(request, change).ConfigureAwait(false);
            return;
        }
        var result = await api.Writer.UpdateAsync(
            request.Kind, request.Namespace, request.Name, request.Subresource, request.WriteOptions(), change, duplicates,
            isPatch: true).ConfigureAwait(false);
        await reads.ObjectAsync(request, 200, result).ConfigureAwait(false);
    }

    public async Task DeleteAsync(ApiRequest request)
    {
        var options = await DeleteOptionsAsync(request).ConfigureAwait(false);
        var (value, gone) = await api.Deleter.DeleteAsync(request.Kind, request.Namespace, request.Name, options).ConfigureAwait(false);
        if (!gone || request.Kind is { Group: "", Kind: "Pod" })
        {
            await reads.ObjectAsync(request, 200, value).ConfigureAwait(false);
            return;
        }
        var details = request.Kind.Details(request.Name);
        details["uid"] = Json.Text(value, "metadata", "uid");
        Answer.Warn(request.Http, request.Warnings);
        await Answer.JsonAsync(request.Http, 200, Status.Success(details)).ConfigureAwait(false);
    }

    public async Task DeleteCollectionAsync(ApiRequest request)
    {
        var options = await DeleteOptionsAsync(request).ConfigureAwait(false);
        var query = ObjectQuery.Create(request.Kind, request.Namespace, request.Query("labelSelector"), request.Query("fieldSelector"));
        var deleted = new List<StoredObject>();
        foreach (var stored in query.Select(api.Store.State.Table(request.Kind.Storage)).ToList())
        {
            try
            {
                await api.Deleter.DeleteAsync(request.Kind, stored.Namespace, stored.Name, options).ConfigureAwait(false);
                deleted.Add(stored);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Somebody else was quicker.
            }
        }
        var metadata = new JsonObject { ["resourceVersion"] = Answer.Number(api.Store.State.ResourceVersion) };
        await ReadHandler.SendAsync(request, 200, default, reads.Render(request, default, deleted, metadata)).ConfigureAwait(false);
    }

    public async Task GetScaleAsync(ApiRequest request)
    {
        var stored = api.Store.State.Get(request.Kind.Storage, StoredObject.KeyOf(request.Namespace, request.Name))
            ?? throw Status.NotFound(request.Kind.Resource, request.Name);
        await Answer.JsonAsync(request.Http, 200,
            Scale(request.Kind, Conversion.ToServed(stored.Value, request.Kind))).ConfigureAwait(false);
    }

    public async Task BindAsync(ApiRequest request)
    {
        var body = await Body.ObjectAsync(request.Http, []).ConfigureAwait(false);
        var node = Json.Text(body, "target", "name") ?? throw Status.BadRequest("target.name: Required value");
        await api.Writer.UpdateAsync(request.Kind, request.Namespace, request.Name, "", request.WriteOptions(), pod =>
        {
            if (Json.Text(pod, "spec", "nodeName") is { Length: > 0 } present)
            {
                throw Status.Conflict(request.Kind.Resource, request.Name, $"pod {request.Name} is already assigned to node \"{present}\"");
            }
            Json.Ensure(pod, "spec")["nodeName"] = node;
            return pod;
        }, [], isPatch: true).ConfigureAwait(false);
        await Answer.JsonAsync(request.Http, 201, Status.Success(null)).ConfigureAwait(false);
    }

    public async Task EvictAsync(ApiRequest request)
    {
        var body = await Body.ObjectAsync(request.Http, []).ConfigureAwait(false);
        await api.Deleter.DeleteAsync(request.Kind, request.Namespace, request.Name, new DeleteOptions
        {
            GracePeriodSeconds = Json.AsLong(Json.At(body, "deleteOptions", "gracePeriodSeconds")),
            DryRun = request.DryRun,
        }).ConfigureAwait(false);
        await Answer.JsonAsync(request.Http, 201, Status.Success(null)).ConfigureAwait(false);
    }

    /// <summary>Sets the finalizers in a namespace's spec; the last one to go from a namespace that is being deleted removes it.</summary>
    public static async Task<JsonObject> FinalizeAsync(ClusterApi api, string name, JsonArray finalizers)
    {
        var kind = api.Registry.Table.Get(GroupResource.Namespaces)!;
        while (true)
        {
            var stored = api.Store.State.Get(kind.Storage, name) ?? throw Status.NotFound(kind.Resource, name);
            var next = Json.Clone(stored.Value);
            Json.Ensure(next, "spec")["finalizers"] = finalizers.DeepClone();
            if (await api.Store.CommitAsync(kind.Storage, name, stored.ResourceVersion,
                Writer.ShouldDelete(kind, next) ? null : next).ConfigureAwait(false) is { } committed)
            {
                return committed.Value;
            }
        }
    }

    private static Func<JsonObject, JsonObject?> Change(string type, JsonNode? patch, KindInfo kind) => live =>
    {
        switch (type)
        {
            case JsonPatchType:
                var operations = patch as JsonArray ?? throw Status.BadRequest("a JSON patch must be an array of operations");
                return JsonPatch.Apply(live, operations) as JsonObject ?? throw Status.BadRequest("the patch must leave an object");
            case StrategicType:
                StrategicPatch.Apply(live, Body.AsObject(patch), kind.Schema);
                return live;
            default:
                MergePatch.Apply(live, Body.AsObject(patch));
                return live;
        }
    };

    private async Task ScaleAsync(ApiRequest request, Func<JsonObject, JsonObject?> change)
    {
        var scale = request.Kind.Scale!;
        var updated = await api.Writer.UpdateAsync(request.Kind, request.Namespace, request.Name, "",
            request.WriteOptions() with { FieldValidation = FieldValidation.Ignore }, live =>
        {
            var wanted = change(Scale(request.Kind, live)) ?? [];
            var replicas = Json.AsLong(Json.At(wanted, "spec", "replicas")) ?? 0;
            if (replicas < 0)
            {
                throw Status.Invalid("autoscaling", "Scale", request.Name,
                    [FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
            }
            var path = scale.SpecPath.TrimStart('.').Split('.');
            Json.Ensure(live, path.AsSpan(0, path.Length - 1))[path[^1]] = replicas;
            if (Json.Text(wanted, "metadata", "resourceVersion") is { Length: > 0 } version)
            {
                Json.Ensure(live, "metadata")["resourceVersion"] = version;
            }
            return live;
        }, [], isPatch: true).ConfigureAwait(false);
        await Answer.JsonAsync(request.Http, 200, Scale(request.Kind, updated)).ConfigureAwait(false);
    }

    private static JsonObject Scale(KindInfo kind, JsonObject obj)
    {
        var scale = kind.Scale!;
        var metadata = new JsonObject();
        foreach (var key in (string[])["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            metadata[key] = Json.At(obj, "metadata", key)?.DeepClone();
        }
        var status = new JsonObject { ["replicas"] = Json.AsLong(Json.At(obj, scale.StatusPath.TrimStart('.').Split('.'))) ?? 0 };
        if (scale.SelectorPath is { } selector && Json.Text(obj, selector.TrimStart('.').Split('.')) is { } text)
        {
            status["selector"] = text;
        }
        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = Json.AsLong(Json.At(obj, scale.SpecPath.TrimStart('.').Split('.'))) ?? 0 },
            ["status"] = status,
        };
    }

    private static async Task<DeleteOptions> DeleteOptionsAsync(ApiRequest request)
    {
        JsonObject body = [];
        var bytes = await Body.ReadAsync(request.Http).ConfigureAwait(false);
        if (bytes.Length > 0)
        {
            var type = Body.MediaType(request.Http.Request);
            body = type switch
            {
                "" or "application/json" => Body.AsObject(Body.ParseJson(bytes, null)),
                "application/yaml" => Body.AsObject(Body.ParseYaml(bytes, null)),
                _ => throw Status.UnsupportedMediaType(type, "application/json", "application/yaml"),
            };
        }
        var propagation = Json.Text(body, "propagationPolicy") ?? request.Query("propagationPolicy");
        var orphan = body["orphanDependents"] is { } flag ? Json.AsBool(flag) : request.Query("orphanDependents") is { } text
            ? text == "true" : (bool?)null;
        if (orphan is not null && !string.IsNullOrEmpty(propagation))
        {
            throw Status.Invalid("meta.k8s.io", "DeleteOptions", "",
                [FieldError.Invalid("propagationPolicy", propagation, "orphanDependents and deletionPropagation cannot be both set")]);
        }
        var dryRun = request.DryRun || Json.StringItems(body["dryRun"]).Contains("All");
        return new DeleteOptions
        {
            GracePeriodSeconds = Json.AsLong(body["gracePeriodSeconds"]) ?? request.Number("gracePeriodSeconds"),
            Propagation = propagation switch
            {
                null or "" => orphan == true ? DeletionPropagation.Orphan : null,
                "Background" => DeletionPropagation.Background,
                "Foreground" => DeletionPropagation.Foreground,
                "Orphan" => DeletionPropagation.Orphan,
                _ => throw Status.Invalid("meta.k8s.io", "DeleteOptions", "",
                    [FieldError.NotSupported("propagationPolicy", propagation, ["Foreground", "Background", "Orphan", "nil"])]),
            },
            PreconditionUid = Json.Text(body, "preconditions", "uid"),
            PreconditionResourceVersion = Json.Text(body, "preconditions", "resourceVersion"),
            DryRun = dryRun,
        };
    }
}
