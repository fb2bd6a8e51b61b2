using System.Text.Json.Nodes;
using Kube.Server.Pipeline;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>Defaults and rules of pods.</summary>
internal static class PodStrategy
{
    private const string MutableMessage =
        "pod updates may not change fields other than "
        + "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
        + "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    public static void Default(JsonObject pod)
    {
        var spec = Json.Ensure(pod, "spec");
        spec["restartPolicy"] ??= "Always";
        spec["dnsPolicy"] ??= "ClusterFirst";
        spec["schedulerName"] ??= "default-scheduler";
        spec["securityContext"] ??= new JsonObject();
        spec["enableServiceLinks"] ??= true;
        spec["terminationGracePeriodSeconds"] ??= 30;
        if (Json.Text(spec, "serviceAccountName") is { Length: > 0 } account)
        {
            spec["serviceAccount"] = account;
        }
        foreach (var container in Json.Objects(spec["containers"]).Concat(Json.Objects(spec["initContainers"])))
        {
            DefaultContainer(container);
        }
        foreach (var volume in Json.Objects(spec["volumes"]))
        {
            foreach (var source in (string[])["secret", "configMap", "projected", "downwardAPI"])
            {
                if (volume[source] is JsonObject inner)
                {
                    inner["defaultMode"] ??= 420;
                }
            }
            DownwardVolumes.Default(volume);
            if (volume.Count == 1)
            {
                volume["emptyDir"] = new JsonObject();
            }
        }
    }

    public static string QosClass(JsonObject pod)
    {
        var containers = Json.Objects(Json.At(pod, "spec", "containers")).ToList();
        var any = containers.Any(c =>
            Json.At(c, "resources", "requests") is JsonObject { Count: > 0 }
            || Json.At(c, "resources", "limits") is JsonObject { Count: > 0 });
        if (!any)
        {
            return "BestEffort";
        }
        var guaranteed = containers.All(c => ((string[])["cpu", "memory"]).All(r =>
            Json.At(c, "resources", "limits", r) is { } limit
                && (Json.At(c, "resources", "requests", r) is not { } request || Amount(request) == Amount(limit))));
        return guaranteed ? "Guaranteed" : "Burstable";
    }

    public static void Validate(JsonObject pod, List<FieldError> errors)
    {
        var spec = pod["spec"] as JsonObject ?? [];
        if (spec["containers"] is JsonArray { Count: 0 })
        {
            errors.Add(FieldError.Required("spec.containers"));
        }
        var volumes = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var volume in Json.Objects(spec["volumes"]))
        {
            var name = Json.Text(volume, "name") ?? "";
            CheckName($"spec.volumes[{index}].name", name, volumes, errors);
            DownwardVolumes.Validate(volume, $"spec.volumes[{index}].downwardAPI", errors);
            index++;
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in (string[])["initContainers", "containers"])
        {
            index = 0;
            foreach (var container in Json.Objects(spec[list]))
            {
                ValidateContainer(container, $"spec.{list}[{index++}]", names, volumes, errors);
            }
        }
        if (Json.AsLong(spec["terminationGracePeriodSeconds"]) is < 0)
        {
            errors.Add(FieldError.Invalid("spec.terminationGracePeriodSeconds", spec["terminationGracePeriodSeconds"],
                "must be greater than or equal to 0"));
        }
        if (spec.TryGetPropertyValue("activeDeadlineSeconds", out var deadline) && Json.AsLong(deadline) is <= 0)
        {
            errors.Add(FieldError.Invalid("spec.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"));
        }
    }

    public static void ValidateUpdate(JsonObject pod, JsonObject old, List<FieldError> errors)
    {
        var now = Json.Clone(pod["spec"] as JsonObject ?? []);
        var before = Json.Clone(old["spec"] as JsonObject ?? []);
        if (Json.Objects(now["containers"]).Count() != Json.Objects(before["containers"]).Count())
        {
            errors.Add(FieldError.Forbidden("spec.containers", "pod updates may not add or remove containers"));
            return;
        }
        if (before["tolerations"] is JsonArray { Count: > 0 } tolerations
            && tolerations.Any(t => now["tolerations"] is not JsonArray rest || !rest.Any(r => Json.DeepEquals(r, t))))
        {
            errors.Add(FieldError.Forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
        }
        foreach (var spec in (JsonObject[])[now, before])
        {
            spec.Remove("tolerations");
            spec.Remove("activeDeadlineSeconds");
            foreach (var container in Json.Objects(spec["containers"]).Concat(Json.Objects(spec["initContainers"])))
            {
                container.Remove("image");
            }
        }
        // The binding: a pod without a node gets one, once.
        if (string.IsNullOrEmpty(Json.Text(before, "nodeName")))
        {
            now.Remove("nodeName");
            before.Remove("nodeName");
        }
        if (!Json.DeepEquals(now, before))
        {
            errors.Add(FieldError.Forbidden("spec", MutableMessage));
        }
    }

    private static void DefaultContainer(JsonObject container)
    {
        container["terminationMessagePath"] ??= "/dev/termination-log";
        container["terminationMessagePolicy"] ??= "File";
        container["resources"] ??= new JsonObject();
        var image = Json.Text(container, "image") ?? "";
        var tag = image.Contains('@', StringComparison.Ordinal) ? "digest" : image[(image.LastIndexOf('/') + 1)..] is var last
            && last.Contains(':', StringComparison.Ordinal) ? last[(last.IndexOf(':', StringComparison.Ordinal) + 1)..] : "latest";
        container["imagePullPolicy"] ??= tag == "latest" ? "Always" : "IfNotPresent";
        foreach (var port in Json.Objects(container["ports"]))
        {
            port["protocol"] ??= "TCP";
        }
        foreach (var env in Json.Objects(container["env"]))
        {
            if (Json.At(env, "valueFrom", "fieldRef") is JsonObject field)
            {
                field["apiVersion"] ??= "v1";
            }
        }
        foreach (var kind in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container[kind] is not JsonObject probe)
            {
                continue;
            }
            probe["timeoutSeconds"] ??= 1;
            probe["periodSeconds"] ??= 10;
            probe["successThreshold"] ??= 1;
            probe["failureThreshold"] ??= 3;
            if (probe["httpGet"] is JsonObject http)
            {
                http["path"] ??= "/";
                http["scheme"] ??= "HTTP";
            }
        }
        if (Json.At(container, "resources", "limits") is JsonObject limits)
        {
            foreach (var (key, value) in limits.ToList())
            {
                var requests = Json.Ensure(container, "resources", "requests");
                requests[key] ??= value?.DeepClone();
            }
        }
    }

    private static void ValidateContainer(JsonObject container, string path, HashSet<string> names, HashSet<string> volumes,
        List<FieldError> errors)
    {
        CheckName(path + ".name", Json.Text(container, "name") ?? "", names, errors);
        if (string.IsNullOrWhiteSpace(Json.Text(container, "image")))
        {
            errors.Add(FieldError.Required(path + ".image"));
        }
        var index = 0;
        foreach (var port in Json.Objects(container["ports"]))
        {
            if (Json.AsLong(port["containerPort"]) is { } number and (< 1 or > 65535))
            {
                errors.Add(FieldError.Invalid($"{path}.ports[{index}].containerPort", number, "must be between 1 and 65535, inclusive"));
            }
            index++;
        }
        index = 0;
        foreach (var env in Json.Objects(container["env"]))
        {
            CheckVariable($"{path}.env[{index}].name", Json.Text(env, "name") ?? "", errors);
            if (env["value"] is not null && Json.Text(env, "value") is { Length: > 0 } && env["valueFrom"] is not null)
            {
                errors.Add(FieldError.Invalid($"{path}.env[{index}].valueFrom", "", "may not be specified when `value` is not empty"));
            }
            index++;
        }
        index = 0;
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var mount in Json.Objects(container["volumeMounts"]))
        {
            if (Json.Text(mount, "mountPath") is { Length: > 0 } mountPath && !paths.Add(mountPath))
            {
                errors.Add(FieldError.Invalid($"{path}.volumeMounts[{index}].mountPath", mountPath, "must be unique"));
            }
            var name = Json.Text(mount, "name") ?? "";
            if (name.Length > 0 && !volumes.Contains(name))
            {
                errors.Add(FieldError.Plain("FieldValueNotFound", $"{path}.volumeMounts[{index}].name", $"Not found: \"{name}\""));
            }
            index++;
        }
        ValidateResources(container["resources"] as JsonObject ?? [], path + ".resources", errors);
    }

    public static void ValidateResources(JsonObject resources, string path, List<FieldError> errors)
    {
        foreach (var list in (string[])["limits", "requests"])
        {
            foreach (var (key, value) in resources[list] as JsonObject ?? [])
            {
                if (Amount(value) is not { } amount)
                {
                    throw Status.BadRequest(
                        $"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$': "
                        + $"{path}.{list}[{key}] is {Json.ToText(value)}");
                }
                if (amount < 0)
                {
                    errors.Add(FieldError.Invalid($"{path}.{list}[{key}]", value?.DeepClone(), "must be greater than or equal to 0"));
                }
                if (list == "requests" && Amount(Json.At(resources, "limits", key)) is { } limit && amount > limit)
                {
                    errors.Add(FieldError.Invalid($"{path}.requests", value?.DeepClone(),
                        $"must be less than or equal to {key} limit of {Json.AsString(Json.At(resources, "limits", key))
                        ?? Json.ToText(Json.At(resources, "limits", key))}"));
                }
            }
        }
    }

    public static decimal? Amount(JsonNode? value)
    {
        var text = Json.AsString(value) ?? (Json.IsNumber(value) ? Json.NumberText(value!) : null);
        return text is not null && Quantities.TryParse(text, out var amount) ? amount : null;
    }

    private static void CheckVariable(string field, string name, List<FieldError> errors)
    {
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required(field));
        }
        else if (name.Any(c => c is < ' ' or > '~' or '='))
        {
            errors.Add(FieldError.Invalid(field, name,
                "a valid environment variable name must consist only of printable ASCII characters other than '='"));
        }
    }

    private static void CheckName(string field, string name, HashSet<string> seen, List<FieldError> errors)
    {
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required(field));
        }
        else if (!MetaValidation.IsDnsLabel(name))
        {
            errors.Add(FieldError.Invalid(field, name, MetaValidation.LabelMessage));
        }
        else if (!seen.Add(name))
        {
            errors.Add(FieldError.Duplicate(field, name));
        }
    }
}
