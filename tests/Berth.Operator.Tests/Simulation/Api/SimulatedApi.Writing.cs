using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

internal sealed partial class SimulatedApi
{
    private const string ClaimProtection = "kubernetes.io/pvc-protection";

    internal Revision Create(ResourceDescriptor kind, JsonObject obj, string manager)
    {
        var next = (JsonObject)obj.DeepClone();
        var meta = next["metadata"]!.AsObject();
        if (meta["name"] is null && meta["generateName"] is { } prefix)
        {
            meta["name"] = $"{prefix.GetValue<string>()}{_uids + 1:d5}";
        }

        var key = KeyOf(kind, next);
        if (kind.Namespaced && Find(Namespace.Descriptor, new ResourceKey("", key.Namespace)) is not { IsEnding: false } home)
        {
            throw Find(Namespace.Descriptor, new ResourceKey("", key.Namespace)) is null
                ? ApiErrors.NotFound(Namespace.Descriptor, key.Namespace)
                : ApiErrors.Forbidden($"unable to create new content in namespace {key.Namespace} because it is being terminated");
        }

        if (Find(kind, key) is not null)
        {
            throw ApiErrors.AlreadyExists(kind, key.Name);
        }

        foreach (var name in (string[])["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "generation"])
        {
            meta.Remove(name);
        }

        meta["uid"] = NewUid();
        meta["creationTimestamp"] = Now();
        if (HasGeneration(kind))
        {
            meta["generation"] = 1L;
        }

        if (HasStatus(kind))
        {
            next.Remove("status");
        }

        if (kind.Kind is "Pod" or "PersistentVolumeClaim")
        {
            next["status"] = new JsonObject { ["phase"] = "Pending" };
        }

        if (kind.Kind == "PersistentVolumeClaim")
        {
            var finalizers = meta["finalizers"] as JsonArray ?? [];
            finalizers.Add(ClaimProtection);
            meta["finalizers"] = finalizers;
        }

        Own(kind, meta["uid"]!.GetValue<string>(), manager, "Update/", [], next);
        Record(kind, key, null, next, next);
        return Find(kind, key)!;
    }

    internal Revision Replace(ResourceDescriptor kind, JsonObject obj, string? subresource, string manager)
    {
        var key = KeyOf(kind, obj);
        var former = Find(kind, key) ?? throw ApiErrors.NotFound(kind, key.Name);
        if (IsCustom(kind) && string.IsNullOrEmpty(obj["metadata"]!["resourceVersion"]?.GetValue<string>()))
        {
            throw ApiErrors.Invalid(kind, key.Name, "metadata.resourceVersion: must be specified for an update");
        }

        Check(kind, key, former, obj["metadata"]);
        return Store(former, (JsonObject)obj.DeepClone(), subresource, manager);
    }

    internal Revision Patch(ResourceDescriptor kind, ResourceKey key, string contentType, JsonNode patch, string? subresource, string manager)
    {
        var former = Find(kind, key) ?? throw ApiErrors.NotFound(kind, key.Name);
        JsonObject next;
        if (contentType.Contains("json-patch", StringComparison.Ordinal))
        {
            next = Merging.JsonPatch(former.Json, patch.AsArray()) ?? throw ApiErrors.Invalid(kind, key.Name, "the patch does not fit");
        }
        else
        {
            Check(kind, key, former, patch["metadata"]);
            next = Merging.MergePatch(former.Json, patch)!.AsObject();
        }

        return Store(former, next, subresource, manager);
    }

    internal Revision Apply(ResourceDescriptor kind, JsonObject obj, bool force, string? subresource, string manager)
    {
        var keys = ListKeys.For(kind.Kind);
        var key = KeyOf(kind, obj);
        var wanted = Fields.Of(keys, obj);
        if (Find(kind, key) is not { } former)
        {
            if (IsOld && kind.Kind == "Service" && obj["metadata"]!["resourceVersion"] is not null)
            {
                throw ApiErrors.Internal("resourceVersion should not be set on objects to be created");
            }

            var created = subresource is null ? Create(kind, obj, manager) : throw ApiErrors.NotFound(kind, key.Name);
            _managers[created.Uid] = new(StringComparer.Ordinal) { [$"{manager}/Apply/"] = wanted };
            return created;
        }

        Check(kind, key, former, obj["metadata"]);
        var entry = $"{manager}/Apply/{subresource}";
        var managers = Managers(former.Uid);
        var others = managers.Where(m => m.Key != entry).Select(m => m.Value).ToList();
        var next = (JsonObject)former.Json.DeepClone();
        managers.GetValueOrDefault(entry)?.RemoveFrom(keys, next, wanted, others);
        next = Merging.Apply(keys, next, obj).AsObject();
        var changed = Fields.Changed(keys, former.Json, next);
        if (!force && others.Any(o => o.Overlaps(changed)))
        {
            throw ApiErrors.Conflict(kind, key.Name);
        }

        var stored = Store(former, next, subresource, null);
        others.ForEach(o => o.Subtract(changed));
        if (Find(kind, key)?.Uid == former.Uid)
        {
            if (stored == former && managers.GetValueOrDefault(entry)?.Same(wanted) != true)
            {
                // Who owns what is part of the object: a change of that alone is a version too.
                Record(kind, key, former, next, next);
                stored = Find(kind, key)!;
            }

            Managers(former.Uid)[entry] = wanted;
        }

        return stored;
    }

    internal void Delete(ResourceDescriptor kind, ResourceKey key, DeleteOptions? options)
    {
        var former = Find(kind, key) ?? throw ApiErrors.NotFound(kind, key.Name);
        if ((options?.Uid is { } uid && uid != former.Uid)
            || (options?.ResourceVersion is { } version && version != former.Json["metadata"]!["resourceVersion"]!.GetValue<string>()))
        {
            throw ApiErrors.Conflict(kind, key.Name);
        }

        var next = (JsonObject)former.Json.DeepClone();
        var meta = next["metadata"]!.AsObject();
        var grace = kind.Kind == "Pod" ? GraceOf(next, options?.GracePeriodSeconds) : 0;
        if (former.IsEnding)
        {
            // A second deletion may only shorten the time that is left.
            if (kind.Kind != "Pod" || grace >= meta["deletionGracePeriodSeconds"]!.GetValue<long>())
            {
                return;
            }
        }
        else if (HasGeneration(kind))
        {
            meta["generation"] = meta["generation"]!.GetValue<long>() + 1;
        }

        meta["deletionTimestamp"] = Text(time.GetUtcNow() + TimeSpan.FromSeconds(grace));
        meta["deletionGracePeriodSeconds"] = grace;
        Finish(former, next);
    }

    /// <summary>Stores a state, or takes the object away when nothing keeps it any more.</summary>
    private void Finish(Revision former, JsonObject next)
    {
        var meta = next["metadata"]!;
        var kept = meta["deletionTimestamp"] is null || meta["finalizers"] is JsonArray { Count: > 0 }
            || meta["deletionGracePeriodSeconds"]?.GetValue<long>() > 0;
        Record(former.Kind, former.Key, former, kept ? next : null, next);
    }

    private Revision Store(Revision former, JsonObject next, string? subresource, string? manager)
    {
        var kind = former.Kind;
        if (subresource == "status")
        {
            var status = next["status"]?.DeepClone();
            next = (JsonObject)former.Json.DeepClone();
            next.Remove("status");
            if (status is not null)
            {
                next["status"] = status;
            }
        }
        else if (HasStatus(kind))
        {
            next.Remove("status");
            if (former.Json["status"] is { } status)
            {
                next["status"] = status.DeepClone();
            }
        }

        KeepMetadata(former.Json["metadata"]!.AsObject(), next["metadata"]!.AsObject());
        Validation.Check(former, next, WithoutRules);
        if (JsonNode.DeepEquals(former.Json, next))
        {
            return former;
        }

        if (HasGeneration(kind) && !JsonNode.DeepEquals(former.Json["spec"], next["spec"]))
        {
            next["metadata"]!["generation"] = next["metadata"]!["generation"]!.GetValue<long>() + 1;
        }

        if (manager is not null)
        {
            Own(kind, former.Uid, manager, "Update/" + subresource, former.Json, next);
        }

        Finish(former, next);
        return Find(kind, former.Key) ?? new Revision(kind, former.Key, Version, next);
    }

    private void Own(ResourceDescriptor kind, string uid, string manager, string operation, JsonObject former, JsonObject next)
    {
        var changed = Fields.Changed(ListKeys.For(kind.Kind), former, next);
        var managers = Managers(uid);
        var entry = $"{manager}/{operation}";
        foreach (var (name, fields) in managers)
        {
            if (name != entry)
            {
                fields.Subtract(changed);
            }
        }

        if (!managers.TryGetValue(entry, out var own))
        {
            managers[entry] = own = new Fields();
        }

        changed.KeepOnly(Fields.Of(ListKeys.For(kind.Kind), next));
        own.Union(changed);
    }

    private Dictionary<string, Fields> Managers(string uid)
    {
        if (!_managers.TryGetValue(uid, out var managers))
        {
            _managers[uid] = managers = new(StringComparer.Ordinal);
        }

        return managers;
    }

    private static void Check(ResourceDescriptor kind, ResourceKey key, Revision former, JsonNode? metadata)
    {
        var version = metadata?["resourceVersion"]?.GetValue<string>();
        var uid = metadata?["uid"]?.GetValue<string>();
        if ((!string.IsNullOrEmpty(version) && version != former.Json["metadata"]!["resourceVersion"]!.GetValue<string>())
            || (!string.IsNullOrEmpty(uid) && uid != former.Uid))
        {
            throw ApiErrors.Conflict(kind, key.Name);
        }
    }

    private static void KeepMetadata(JsonObject former, JsonObject next)
    {
        foreach (var name in (string[])["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generation", "name", "namespace"])
        {
            next.Remove(name);
            if (former[name] is { } value)
            {
                next[name] = value.DeepClone();
            }
        }

        next.Remove("managedFields");
    }

    /// <summary>A pod that no node has, or that has ended, needs no time to end.</summary>
    private static long GraceOf(JsonObject pod, long? asked) =>
        string.IsNullOrEmpty(pod["spec"]?["nodeName"]?.GetValue<string>())
        || pod["status"]?["phase"]?.GetValue<string>() is "Failed" or "Succeeded"
            ? 0
            : asked ?? pod["spec"]?["terminationGracePeriodSeconds"]?.GetValue<long>() ?? 30;

    private static ResourceKey KeyOf(ResourceDescriptor kind, JsonObject obj) => new(
        kind.Namespaced ? obj["metadata"]!["namespace"]?.GetValue<string>() ?? "" : "",
        obj["metadata"]!["name"]!.GetValue<string>());
}
