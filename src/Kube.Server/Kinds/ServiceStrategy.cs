using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>Defaults and rules of services.</summary>
internal static class ServiceStrategy
{
    public static void Default(JsonObject service, JsonObject? old, Func<JsonObject, string> allocate)
    {
        var spec = Json.Ensure(service, "spec");
        spec["type"] ??= "ClusterIP";
        spec["sessionAffinity"] ??= "None";
        var type = Json.Text(spec, "type");
        foreach (var port in Json.Objects(spec["ports"]))
        {
            port["protocol"] ??= "TCP";
            port["targetPort"] ??= port["port"]?.DeepClone();
        }
        if (type == "ExternalName")
        {
            return;
        }
        spec["internalTrafficPolicy"] ??= "Cluster";
        spec["ipFamilies"] ??= Json.Strings(["IPv4"]);
        spec["ipFamilyPolicy"] ??= "SingleStack";
        if (string.IsNullOrEmpty(Json.Text(spec, "clusterIP")))
        {
            // An update that leaves the address out keeps it.
            spec["clusterIP"] = Json.Text(old, "spec", "clusterIP") is { Length: > 0 } kept ? kept : allocate(service);
        }
        spec["clusterIPs"] ??= Json.Strings([Json.Text(spec, "clusterIP")!]);
        service["status"] ??= new JsonObject { ["loadBalancer"] = new JsonObject() };
    }

    public static void Validate(JsonObject service, JsonObject? old, List<FieldError> errors)
    {
        var spec = service["spec"] as JsonObject ?? [];
        var type = Json.Text(spec, "type");
        var ports = Json.Objects(spec["ports"]).ToList();
        if (ports.Count == 0 && type != "ExternalName" && Json.Text(spec, "clusterIP") != "None")
        {
            errors.Add(FieldError.Required("spec.ports"));
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<(long?, string?)>();
        for (var i = 0; i < ports.Count; i++)
        {
            var name = Json.Text(ports[i], "name") ?? "";
            if (name.Length == 0 && ports.Count > 1)
            {
                errors.Add(FieldError.Required($"spec.ports[{i}].name"));
            }
            else if (name.Length > 0 && !names.Add(name))
            {
                errors.Add(FieldError.Duplicate($"spec.ports[{i}].name", name));
            }
            if (!numbers.Add((Json.AsLong(ports[i]["port"]), Json.Text(ports[i], "protocol"))))
            {
                errors.Add(FieldError.Duplicate(
                    $"spec.ports[{i}]",
                    new JsonObject { ["protocol"] = Json.Text(ports[i], "protocol"), ["port"] = ports[i]["port"]?.DeepClone() }));
            }
            if (Json.AsLong(ports[i]["port"]) is { } number and (< 1 or > 65535))
            {
                errors.Add(FieldError.Invalid($"spec.ports[{i}].port", number, "must be between 1 and 65535, inclusive"));
            }
        }
        if (type == "ExternalName" && string.IsNullOrEmpty(Json.Text(spec, "externalName")))
        {
            errors.Add(FieldError.Required("spec.externalName"));
        }
        if (Json.Text(old, "spec", "clusterIP") is { Length: > 0 } before && type != "ExternalName"
            && Json.Text(spec, "clusterIP") is var now && now != before)
        {
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", Json.Strings([now ?? ""]), "may not change once set"));
        }
    }
}
