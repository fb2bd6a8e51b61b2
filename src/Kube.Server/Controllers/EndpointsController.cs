using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Kube.Server.Runner.Ports;

namespace Kube.Server.Controllers;

/// <summary>
/// Keeps the Endpoints of each service with a selector: the pods it selects, by the ports that the process runner assigned.
/// </summary>
internal sealed class EndpointsController : KeyedController
{
    public override string Name => "endpoints";

    protected override IEnumerable<(GroupResource Resource, Func<WatchEvent, IEnumerable<string>> Keys)> Sources =>
    [
        (GroupResource.Services, step => [KeyOf(step.Value)]),
        (GroupResource.Endpoints, step => [KeyOf(step.Value)]),
        (GroupResource.Pods, step => Api.List(GroupResource.Services, step.Value.Object("metadata").Text("namespace")).Items
            .Where(s => s.Object("spec").Object("selector") is { Count: > 0 }).Select(KeyOf)),
    ];

    protected override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var (ns, name) = Split(key);
        var service = Api.Get(GroupResource.Services, ns, name);
        var present = Api.Get(GroupResource.Endpoints, ns, name);
        if (service is null)
        {
            // Only what is ours: endpoints without a service may have been made by hand, for a service to come.
            if (present.Object("metadata").Object("labels").Text("endpoints.kubernetes.io/managed-by") == "endpoint-controller")
            {
                await Api.DeleteAsync(GroupResource.Endpoints, ns, name,
                    new DeleteOptions { PreconditionUid = present.Object("metadata").Text("uid") }, cancellationToken);
            }

            return;
        }

        if (service.Object("spec").Object("selector") is not { Count: > 0 } || service.Object("spec").Text("type") == "ExternalName")
        {
            return;
        }

        var subsets = Subsets(service, Api.List(GroupResource.Pods, ns).Items);
        var labels = service.Object("metadata").Object("labels")?.DeepClone() as JsonObject ?? [];
        labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller";
        if (present is null)
        {
            var created = new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["labels"] = labels } };
            if (subsets.Count > 0)
            {
                created["subsets"] = subsets;
            }

            await Api.CreateAsync(GroupResource.Endpoints, ns, created, cancellationToken: cancellationToken);
            return;
        }

        await Api.ModifyAsync(GroupResource.Endpoints, ns, name, current =>
        {
            var same = JsonNode.DeepEquals(current["subsets"] as JsonArray is { Count: > 0 } old ? old : null, subsets.Count > 0
                ? subsets : null)
                && JsonNode.DeepEquals(current.Object("metadata").Object("labels"), labels);
            if (same)
            {
                return false;
            }

            current["metadata"]!["labels"] = labels.DeepClone();
            current.Remove("subsets");
            if (subsets.Count > 0)
            {
                current["subsets"] = subsets.DeepClone();
            }

            return true;
        }, cancellationToken: cancellationToken);
    }

    /// <summary>Pods with the same ports share a subset; here nearly every pod has ports of its own.</summary>
    internal static JsonArray Subsets(JsonObject service, IEnumerable<JsonObject> pods)
    {
        var spec = service.Object("spec");
        var unready = spec.Flag("publishNotReadyAddresses");
        var groups = new SortedDictionary<string, (JsonArray Ports, JsonArray Ready, JsonArray NotReady)>(StringComparer.Ordinal);
        foreach (var pod in pods.Where(p => Labels.Match(spec, "selector", p.Object("metadata").Object("labels")))
            .OrderBy(p => p.Object("metadata").Text("name"), StringComparer.Ordinal))
        {
            var status = pod.Object("status");
            if (status.Text("podIP") is not { Length: > 0 } ip || status.Text("phase") is "Failed" or "Succeeded"
                || (pod.Object("metadata").Text("deletionTimestamp") is not null && !unready))
            {
                continue;
            }

            var ports = Ports(spec, pod);
            if (ports.Count == 0 && spec.Objects("ports").Any())
            {
                continue;
            }

            var key = ports.ToJsonString();
            if (!groups.TryGetValue(key, out var group))
            {
                groups[key] = group = (ports, [], []);
            }

            var ready = unready || status.Objects("conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");
            (ready ? group.Ready : group.NotReady).Add((JsonNode)Address(pod, ip));
        }

        var subsets = new JsonArray();
        foreach (var (ports, ready, notReady) in groups.Values)
        {
            var subset = new JsonObject();
            Add(subset, "addresses", ready);
            Add(subset, "notReadyAddresses", notReady);
            Add(subset, "ports", ports);
            subsets.Add((JsonNode)subset);
        }

        return subsets;
    }

    private static void Add(JsonObject target, string name, JsonArray items)
    {
        if (items.Count > 0)
        {
            target[name] = items;
        }
    }

    private static JsonObject Address(JsonObject pod, string ip) => new()
    {
        ["ip"] = ip,
        ["nodeName"] = pod.Object("spec").Text("nodeName"),
        ["targetRef"] = new JsonObject
        {
            ["kind"] = "Pod",
            ["namespace"] = pod.Object("metadata").Text("namespace"),
            ["name"] = pod.Object("metadata").Text("name"),
            ["uid"] = pod.Object("metadata").Text("uid"),
        },
    };

    private static JsonArray Ports(JsonObject? spec, JsonObject pod)
    {
        var ports = new JsonArray();
        foreach (var port in spec.Objects("ports"))
        {
            if (Target(port, pod) is not { } number)
            {
                continue;
            }

            var entry = new JsonObject();
            if (port.Text("name") is { Length: > 0 } name)
            {
                entry["name"] = name;
            }

            entry["port"] = number;
            entry["protocol"] = port.Text("protocol") ?? "TCP";
            ports.Add((JsonNode)entry);
        }

        return ports;
    }

    private static int? Target(JsonObject port, JsonObject pod)
    {
        var assigned = PortAnnotation.Read(pod);
        var target = port["targetPort"] ?? port["port"];
        var text = target is JsonValue value ? value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>()
            : value.ToJsonString() : "";
        if (assigned.TryGetValue(text, out var number))
        {
            return number;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var plain))
        {
            return plain > 0 ? plain : null;
        }

        var named = pod.Object("spec").Objects("containers").SelectMany(c => c.Objects("ports")).FirstOrDefault(p =>
            p.Text("name") == text);
        return (int?)named.Number("containerPort");
    }

    private static string KeyOf(JsonObject obj) => Key(obj.Object("metadata").Text("namespace"), obj.Object("metadata").Text("name"));
}
