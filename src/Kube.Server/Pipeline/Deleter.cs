using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Storage;

namespace Kube.Server.Pipeline;

/// <summary>Deletion: at once, or marked (finalizers, propagation, a pod's grace).</summary>
internal sealed class Deleter(ObjectStore store, TimeProvider time)
{
    /// <summary>Deletes; <c>Gone</c> says whether the object is removed, <c>Value</c> is its last state (served version).</summary>
    public async Task<(JsonObject Value, bool Gone)> DeleteAsync(KindInfo kind, string? ns, string name, DeleteOptions options)
    {
        var key = StoredObject.KeyOf(ns, name);
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var stored = store.State.Get(kind.Storage, key) ?? throw Status.NotFound(kind.Resource, name);
            CheckPreconditions(kind, name, stored, options);
            var (next, remove) = Mark(kind, stored.Value, options);
            if (!remove && next is null)
            {
                return (Conversion.ToServed(stored.Value, kind), false);
            }
            if (options.DryRun)
            {
                return (Conversion.ToServed(next ?? stored.Value, kind), remove);
            }
            if (await store.CommitAsync(kind.Storage, key, stored.ResourceVersion,
                remove ? null : next).ConfigureAwait(false) is { } committed)
            {
                return (Conversion.ToServed(committed.Value, kind), remove);
            }
        }
        throw Status.Conflict(kind.Resource, name);
    }

    private static void CheckPreconditions(KindInfo kind, string name, StoredObject stored, DeleteOptions options)
    {
        var uid = Json.Text(stored.Value, "metadata", "uid") ?? "";
        if (options.PreconditionUid is { } wantedUid && wantedUid != uid)
        {
            throw Status.Conflict(kind.Resource, name, $"Precondition failed: UID in precondition: {wantedUid}, UID in object meta: {uid}");
        }
        var version = stored.ResourceVersion.ToString(CultureInfo.InvariantCulture);
        if (options.PreconditionResourceVersion is { } wantedVersion && wantedVersion != version)
        {
            throw Status.Conflict(kind.Resource, name,
                $"Precondition failed: ResourceVersion in precondition: {wantedVersion}, ResourceVersion in object meta: {version}");
        }
    }

    private (JsonObject? Next, bool Remove) Mark(KindInfo kind, JsonObject value, DeleteOptions options)
    {
        if (kind is { Group: "batch", Kind: "Job" } && options.Propagation is null)
        {
            // For old clients, as a real server does: who does not say what becomes of the pods keeps them. kubectl says it.
            options = options with { Propagation = DeletionPropagation.Orphan };
        }
        var next = Json.Clone(value);
        var metadata = (JsonObject)next["metadata"]!;
        var deleting = metadata["deletionTimestamp"] is not null;
        var finalizers = Json.StringItems(metadata["finalizers"]).ToList();
        if (!deleting)
        {
            finalizers.RemoveAll(f => f is "orphan" or "foregroundDeletion" && options.Propagation is not null);
            if (options.Propagation == DeletionPropagation.Foreground)
            {
                finalizers.Add("foregroundDeletion");
            }
            else if (options.Propagation == DeletionPropagation.Orphan)
            {
                finalizers.Add("orphan");
            }
            SetFinalizers(metadata, finalizers);
        }
        var grace = Grace(kind, next, options);
        if (kind is { Group: "", Kind: "Namespace" })
        {
            if (deleting)
            {
                return (null, false);
            }
            metadata["deletionTimestamp"] = Preparation.Rfc3339(time.GetUtcNow());
            Json.Ensure(next, "status")["phase"] = "Terminating";
            return (next, Writer.ShouldDelete(kind, next));
        }
        if (deleting)
        {
            var present = Json.AsLong(metadata["deletionGracePeriodSeconds"]) ?? 0;
            if (grace >= present && !(grace == 0 && present == 0 && finalizers.Count == 0))
            {
                return (null, false);
            }
            if (grace == 0 && finalizers.Count == 0)
            {
                return (next, true);
            }
            metadata["deletionGracePeriodSeconds"] = grace;
            metadata["deletionTimestamp"] = Preparation.Rfc3339(time.GetUtcNow().AddSeconds(grace));
            return (next, false);
        }
        if (grace == 0 && finalizers.Count == 0)
        {
            return (next, true);
        }
        metadata["deletionTimestamp"] = Preparation.Rfc3339(time.GetUtcNow().AddSeconds(grace));
        metadata["deletionGracePeriodSeconds"] = grace;
        if (Preparation.HasGeneration(kind))
        {
            metadata["generation"] = (Json.AsLong(metadata["generation"]) ?? 0) + 1;
        }
        return (next, false);
    }

    private static long Grace(KindInfo kind, JsonObject obj, DeleteOptions options)
    {
        if (kind is not { Group: "", Kind: "Pod" })
        {
            return 0;
        }
        // Nobody has to stop what no node has started, or what has ended.
        if (string.IsNullOrEmpty(Json.Text(obj, "spec", "nodeName")) || Json.Text(obj, "status", "phase") is "Succeeded" or "Failed")
        {
            return 0;
        }
        return Math.Max(0, options.GracePeriodSeconds ?? Json.AsLong(Json.At(obj, "spec", "terminationGracePeriodSeconds")) ?? 30);
    }

    private static void SetFinalizers(JsonObject metadata, List<string> finalizers)
    {
        metadata.Remove("finalizers");
        if (finalizers.Count > 0)
        {
            metadata["finalizers"] = Json.Strings(finalizers.Distinct());
        }
    }
}
