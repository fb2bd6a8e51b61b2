using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kube.Server.Apply;
using Kube.Server.Kinds;
using Kube.Server.Schema;
using Kube.Server.Storage;

namespace Kube.Server.Pipeline;

/// <summary>
/// Create, update, patch and apply: preparation plus the loop around the store's optimistic concurrency. Results are in the served version.
/// </summary>
internal sealed class Writer(KindRegistry registry, ObjectStore store, TimeProvider time)
{
    private const int MaxAttempts = 200;
    private const string NameAlphabet = "bcdfghjklmnpqrstvwxz2456789";

    private readonly Preparation _prepare = new(registry, store, time);

    public Preparation Preparation => _prepare;

    public async Task<JsonObject> CreateAsync(KindInfo kind, string? ns, JsonObject obj, WriteOptions options,
        IReadOnlyList<string> duplicates, bool applied = false)
    {
        Preparation.Normalise(obj, kind, options, duplicates, isPatch: false);
        var (inner, body) = ForStorage(kind, obj);
        var metadata = (JsonObject)body["metadata"]!;
        ns = CheckNamespace(kind, ns, metadata);
        if (!applied && Json.Text(metadata, "resourceVersion") is { Length: > 0 })
        {
            throw Status.BadRequest("resourceVersion should not be set on objects to be created");
        }
        var name = Json.Text(metadata, "name") ?? "";
        var prefix = Json.Text(metadata, "generateName") ?? "";
        var generated = name.Length == 0 && prefix.Length > 0;
        for (var attempt = 1; ; attempt++)
        {
            var candidate = generated
                ? (prefix.Length > 58 ? prefix[..58] : prefix) + RandomNumberGenerator.GetString(NameAlphabet, 5)
                : name;
            RequireNamespace(kind, ns, candidate);
            var prepared = _prepare.Create(inner, Json.Clone(body), ns, candidate, options, applied);
            var key = StoredObject.KeyOf(ns, candidate);
            if (options.DryRun)
            {
                if (store.State.Get(kind.Storage, key) is not null)
                {
                    throw Status.AlreadyExists(kind.Resource, candidate);
                }
                return Conversion.ToServed(prepared, kind);
            }
            Conversion.ToStored(prepared, inner);
            if (await store.CommitAsync(kind.Storage, key, 0, prepared).ConfigureAwait(false) is { } stored)
            {
                return Conversion.ToServed(stored.Value, kind);
            }
            if (!generated || attempt >= 8)
            {
                throw Status.AlreadyExists(kind.Resource, candidate, generated);
            }
        }
    }

    /// <summary>
    /// The update loop. <paramref name="change"/> gets a private copy of the live object (served version) and returns what it is to become,
    /// or null for no change. A resourceVersion in the result that is not the live one's is a conflict; otherwise a lost race is run
    /// again.
    /// </summary>
    public async Task<JsonObject> UpdateAsync(
        KindInfo kind, string? ns, string name, string subresource, WriteOptions options, Func<JsonObject, JsonObject?> change,
        IReadOnlyList<string> duplicates,
        bool isPatch, bool applied = false)
    {
        var key = StoredObject.KeyOf(ns, name);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var stored = store.State.Get(kind.Storage, key) ?? throw Status.NotFound(kind.Resource, name);
            var live = Conversion.ToServed(stored.Value, kind);
            if (change(Json.Clone(live)) is not { } next)
            {
                return live;
            }
            Preparation.Normalise(next, kind, options, duplicates, isPatch);
            CheckIdentity(kind, ns, name, live, next, isPatch && !applied);
            var (inner, body) = ForStorage(kind, next);
            var before = kind.IsEventsGroup ? stored.Value : live;
            var prepared = _prepare.Update(inner, before, body, subresource, options, applied);
            if (ObjectComparison.SameObject(before, prepared))
            {
                return live;
            }
            var delete = ShouldDelete(inner, prepared);
            if (options.DryRun)
            {
                return Conversion.ToServed(prepared, kind);
            }
            Conversion.ToStored(prepared, inner);
            if (await store.CommitAsync(kind.Storage, key, stored.ResourceVersion,
                delete ? null : prepared).ConfigureAwait(false) is { } committed)
            {
                return Conversion.ToServed(delete ? prepared : committed.Value, kind);
            }
        }
        throw Status.Conflict(kind.Resource, name);
    }

    /// <summary>Server-side apply; true when the object was created.</summary>
    public async Task<(JsonObject Result, bool Created)> ApplyAsync(
        KindInfo kind, string? ns, string name, string subresource, JsonObject config, WriteOptions options,
        IReadOnlyList<string> duplicates)
    {
        foreach (var required in (string[])["apiVersion", "kind"])
        {
            if (string.IsNullOrEmpty(Json.Text(config, required)))
            {
                throw Status.BadRequest($"an applied configuration must say what it is: {required} is missing");
            }
        }
        Preparation.Normalise(config, kind, options, duplicates, isPatch: false);
        var metadata = (JsonObject)config["metadata"]!;
        if (metadata["managedFields"] is not null)
        {
            throw Status.BadRequest("metadata.managedFields must be nil");
        }
        if (Json.Text(metadata, "name") is { Length: > 0 } stated && stated != name)
        {
            throw Status.BadRequest($"the name of the object ({stated}) does not match the name on the URL ({name})");
        }
        metadata["name"] = name;
        ns = CheckNamespace(kind, ns, metadata);
        if (kind.Namespaced)
        {
            metadata["namespace"] = ns;
        }
        if (subresource == "status")
        {
            foreach (var key in config.Select(p => p.Key).Where(k => k is not ("apiVersion" or "kind" or "metadata" or "status")).ToList())
            {
                config.Remove(key);
            }
        }
        else if (kind.HasStatus)
        {
            config.Remove("status");
        }
        var errors = new List<FieldError>();
        ListTypes.Validate(config, kind.Schema, "", errors);
        if (errors.Count > 0)
        {
            throw Status.Invalid(kind.Group, kind.Kind, name, errors);
        }
        options = options with { FieldValidation = FieldValidation.Ignore };
        for (var attempt = 0; attempt < 8; attempt++)
        {
            if (store.State.Get(kind.Storage, StoredObject.KeyOf(ns, name)) is null)
            {
                if (subresource.Length > 0)
                {
                    throw Status.NotFound(kind.Resource, name);
                }
                if (Json.Text(metadata, "uid") is { Length: > 0 })
                {
                    throw Status.Conflict(kind.Resource, name,
                        "uid mismatch: the provided object specified uid " + Json.Text(metadata, "uid")
                        + ", and no existing object was found");
                }
                try
                {
                    var created = ManagedFields.Apply(null, Json.Clone(config), kind, options.FieldManager, subresource, options.Force,
                        time.GetUtcNow());
                    return (await CreateAsync(kind, ns, created, options, [], applied: true).ConfigureAwait(false), true);
                }
                catch (ApiException e) when (e.IsAlreadyExists)
                {
                    continue;
                }
            }
            try
            {
                var result = await UpdateAsync(
                    kind, ns, name, subresource, options,
                    live => ManagedFields.Apply(live, Json.Clone(config), kind, options.FieldManager, subresource, options.Force,
                        time.GetUtcNow()), [], isPatch: true, applied: true).ConfigureAwait(false);
                return (result, false);
            }
            catch (ApiException e) when (e.IsNotFound && subresource.Length == 0)
            {
                // Deleted in between: next round creates it.
            }
        }
        throw Status.Conflict(kind.Resource, name);
    }

    /// <summary>Whether an object that is being deleted has nothing left to wait for.</summary>
    public static bool ShouldDelete(KindInfo kind, JsonObject obj)
    {
        var metadata = obj["metadata"] as JsonObject;
        if (metadata?["deletionTimestamp"] is null || metadata["finalizers"] is JsonArray { Count: > 0 })
        {
            return false;
        }
        if (kind is { Group: "", Kind: "Namespace" })
        {
            return Json.At(obj, "spec", "finalizers") is not JsonArray { Count: > 0 };
        }
        return Json.AsLong(metadata["deletionGracePeriodSeconds"]) is null or 0;
    }

    // events.k8s.io is another dress of core/v1 events: everything after decoding works on the stored form.
    private (KindInfo Kind, JsonObject Body) ForStorage(KindInfo kind, JsonObject obj)
    {
        if (!kind.IsEventsGroup)
        {
            return (kind, obj);
        }
        Conversion.ToStored(obj, kind);
        return (registry.Table.Get(GroupResource.Events)!, obj);
    }

    private static string? CheckNamespace(KindInfo kind, string? ns, JsonObject metadata)
    {
        if (!kind.Namespaced)
        {
            return null;
        }
        var stated = Json.Text(metadata, "namespace");
        if (!string.IsNullOrEmpty(stated) && !string.IsNullOrEmpty(ns) && stated != ns)
        {
            throw Status.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }
        return string.IsNullOrEmpty(ns) ? string.IsNullOrEmpty(stated)
            ? throw Status.BadRequest("an empty namespace may not be set during creation") : stated : ns;
    }

    private void RequireNamespace(KindInfo kind, string? ns, string name)
    {
        if (!kind.Namespaced)
        {
            return;
        }
        var found = store.State.Get(GroupResource.Namespaces, ns!) ?? throw Status.NotFound(GroupResource.Namespaces, ns!);
        if (Json.At(found.Value, "metadata", "deletionTimestamp") is not null)
        {
            var details = Status.Details(name, kind.Group, kind.Plural);
            details["causes"] = new JsonArray(
                (JsonNode)new JsonObject
                {
                    ["reason"] = "NamespaceTerminating",
                    ["message"] = $"namespace {ns} is being terminated",
                    ["field"] = "metadata.namespace"
                });
            throw Status.Forbidden(kind.Resource, name, $"unable to create new content in namespace {ns} because it is being terminated",
                details);
        }
    }

    private static void CheckIdentity(KindInfo kind, string? ns, string name, JsonObject live, JsonObject next, bool isPatch)
    {
        var metadata = (JsonObject)next["metadata"]!;
        if (Json.Text(metadata, "name") is var stated && stated != name)
        {
            throw Status.BadRequest(
                string.IsNullOrEmpty(stated)
                ? "name must be provided"
                : $"the name of the object ({stated}) does not match the name on the URL ({name})");
        }
        if (kind.Namespaced && Json.Text(metadata, "namespace") is { Length: > 0 } space && space != ns)
        {
            throw Status.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }
        if (Json.Text(metadata, "uid") is { Length: > 0 } uid && Json.Text(live, "metadata", "uid") is { } actual && uid != actual)
        {
            if (isPatch)
            {
                throw Status.Invalid(kind.Group, kind.Kind, name, [FieldError.Invalid("metadata.uid", uid, "field is immutable")]);
            }
            throw Status.Conflict(kind.Resource, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}");
        }
        var version = Json.Text(metadata, "resourceVersion");
        if (string.IsNullOrEmpty(version))
        {
            return;
        }
        if (!long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            throw Status.Invalid(kind.Group, kind.Kind, name,
                [FieldError.Invalid("metadata.resourceVersion", version, "must be an unsigned integer")]);
        }
        if (version != "0" && version != Json.Text(live, "metadata", "resourceVersion"))
        {
            throw Status.Conflict(kind.Resource, name);
        }
    }
}
