using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>What built-in kinds do beyond their schema: defaults on create and update, validation of objects and of changes.</summary>
internal static class Strategy
{
    public static void Default(KindInfo kind, JsonObject obj, JsonObject? old, Func<JsonObject, string> allocateClusterIp,
        DateTimeOffset now)
    {
        switch ((kind.Storage.Group, kind.Kind))
        {
            case ("", "Pod"):
                PodStrategy.Default(obj);
                if (old is null)
                {
                    obj["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = PodStrategy.QosClass(obj) };
                }
                break;
            case ("", "Service"):
                ServiceStrategy.Default(obj, old, allocateClusterIp);
                break;
            case ("", "PersistentVolumeClaim"):
                Json.Ensure(obj, "spec")["volumeMode"] ??= "Filesystem";
                if (old is null)
                {
                    obj["status"] = new JsonObject { ["phase"] = "Pending" };
                }
                break;
            case ("", "PersistentVolume"):
                Json.Ensure(obj, "spec")["volumeMode"] ??= "Filesystem";
                Json.Ensure(obj, "spec")["persistentVolumeReclaimPolicy"] ??= "Retain";
                if (old is null)
                {
                    obj["status"] = new JsonObject { ["phase"] = "Pending" };
                }
                break;
            case ("", "Namespace"):
                Json.Ensure(obj, "metadata", "labels")["kubernetes.io/metadata.name"] = Json.Text(obj, "metadata", "name");
                if (old is null)
                {
                    Json.Ensure(obj, "spec")["finalizers"] = Json.Strings(["kubernetes"]);
                    obj["status"] = new JsonObject { ["phase"] = "Active" };
                }
                break;
            case ("", "Secret"):
                obj["type"] ??= "Opaque";
                if (obj["stringData"] is JsonObject plain)
                {
                    var data = Json.Ensure(obj, "data");
                    foreach (var (key, value) in plain)
                    {
                        data[key] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Json.AsString(value) ?? ""));
                    }
                    obj.Remove("stringData");
                }
                break;
            case ("", "Endpoints"):
                foreach (var port in Json.Objects(obj["subsets"]).SelectMany(subset => Json.Objects(subset["ports"])))
                {
                    port["protocol"] ??= "TCP";
                }
                break;
            case ("batch", "Job"):
                JobStrategy.Default(obj, old);
                break;
            case ("storage.k8s.io", "StorageClass"):
                obj["reclaimPolicy"] ??= "Delete";
                obj["volumeBindingMode"] ??= "Immediate";
                break;
            case ("networking.k8s.io", "NetworkPolicy"):
                var spec = Json.Ensure(obj, "spec");
                spec["podSelector"] ??= new JsonObject();
                spec["policyTypes"] ??= Json.Strings(spec["egress"] is JsonArray { Count: > 0 } ? ["Ingress", "Egress"] : ["Ingress"]);
                foreach (var rule in Json.Objects(spec["ingress"]).Concat(Json.Objects(spec["egress"])))
                {
                    foreach (var port in Json.Objects(rule["ports"]))
                    {
                        port["protocol"] ??= "TCP";
                    }
                }
                break;
            case ("apiextensions.k8s.io", _):
                Crd.CrdCompiler.SetDefaultsOnCreate(obj, old);
                break;
        }
    }

    public static void Validate(KindInfo kind, JsonObject obj, JsonObject? old, List<FieldError> errors)
    {
        switch ((kind.Storage.Group, kind.Kind))
        {
            case ("", "Pod"):
                PodStrategy.Validate(obj, errors);
                if (old is not null)
                {
                    PodStrategy.ValidateUpdate(obj, old, errors);
                }
                break;
            case ("", "Service"):
                ServiceStrategy.Validate(obj, old, errors);
                break;
            case ("", "PersistentVolumeClaim"):
                ClaimStrategy.Validate(obj, old, errors);
                break;
            case ("batch", "Job"):
                JobStrategy.Validate(obj, old, errors);
                break;
            case ("", "Event"):
                var space = Json.Text(obj, "involvedObject", "namespace") ?? "";
                if (space != Json.Text(obj, "metadata", "namespace")
                    && !(space.Length == 0 && Json.Text(obj, "metadata", "namespace") == "default"))
                {
                    errors.Add(FieldError.Invalid("involvedObject.namespace", space, "does not match event.namespace"));
                }
                break;
            case ("networking.k8s.io", "NetworkPolicy"):
                NetworkPolicyRules.Validate(obj, errors);
                break;
            case ("", "ConfigMap" or "Secret"):
                ValidateData(kind, obj, old, errors);
                break;
            case ("storage.k8s.io", _) when old is not null
                && (!Json.DeepEquals(obj["provisioner"], old["provisioner"]) || !Json.DeepEquals(obj["parameters"], old["parameters"])):
                errors.Add(FieldError.Forbidden("parameters", "updates to provisioner and parameters are forbidden."));
                break;
            case ("rbac.authorization.k8s.io", _) when old is not null && obj["roleRef"] is not null
                && !Json.DeepEquals(obj["roleRef"], old["roleRef"]):
                errors.Add(FieldError.Invalid("roleRef", obj["roleRef"]?.DeepClone(), "cannot change roleRef"));
                break;
            case ("coordination.k8s.io", _):
                if (Json.AsLong(Json.At(obj, "spec", "leaseDurationSeconds")) is <= 0)
                {
                    errors.Add(FieldError.Invalid("spec.leaseDurationSeconds", Json.At(obj, "spec", "leaseDurationSeconds")?.DeepClone(),
                        "must be greater than 0"));
                }
                break;
            case ("apiextensions.k8s.io", _):
                if (old is null || !Json.DeepEquals(obj["spec"], old["spec"]))
                {
                    Crd.CrdCompiler.Compile(Json.Clone(obj), errors);
                }
                Crd.CrdCompiler.CheckStoredVersions(obj, errors);
                if (old is not null && !Json.DeepEquals(Json.At(obj, "spec", "scope"), Json.At(old, "spec", "scope")))
                {
                    errors.Add(FieldError.Invalid("spec.scope", Json.At(obj, "spec", "scope")?.DeepClone(), "field is immutable"));
                }
                break;
        }
    }

    private static void ValidateData(KindInfo kind, JsonObject obj, JsonObject? old, List<FieldError> errors)
    {
        foreach (var field in (string[])["data", "binaryData"])
        {
            foreach (var (key, _) in obj[field] as JsonObject ?? [])
            {
                if (key.Length is 0 or > 253 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') || key is "." or "..")
                {
                    errors.Add(FieldError.Invalid($"{field}[{key}]", key,
                        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
                        + "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"));
                }
            }
        }
        if (Json.ToUtf8(obj["data"]).Length + Json.ToUtf8(obj["binaryData"]).Length > 1_500_000)
        {
            errors.Add(FieldError.TooLong("", 1024 * 1024));
        }
        if (old is not null && Json.AsBool(old["immutable"]))
        {
            if (!Json.AsBool(obj["immutable"]))
            {
                errors.Add(FieldError.Forbidden("immutable", "field is immutable when `immutable` is set"));
            }
            if (!Json.DeepEquals(obj["data"], old["data"]))
            {
                errors.Add(FieldError.Forbidden("data", "field is immutable when `immutable` is set"));
            }
        }
        if (old is not null && kind.Kind == "Secret" && !Json.DeepEquals(obj["type"], old["type"]))
        {
            errors.Add(FieldError.Invalid("type", obj["type"]?.DeepClone(), "field is immutable"));
        }
    }
}
