using System.Globalization;
using System.Text.Json.Nodes;

namespace Kube.Server.Tables;

/// <summary>Cells that are more than a field.</summary>
internal static class ComputedCells
{
    public static JsonNode? Get(string name, JsonObject obj, DateTimeOffset now) => name switch
    {
        "@age" => Since(Json.Text(obj, "metadata", "creationTimestamp"), now),
        "@created-at" => Json.Text(obj, "metadata", "creationTimestamp"),
        "@data" => Count(obj["data"]) + Count(obj["binaryData"]),
        "@secrets" => Count(obj["secrets"]),
        "@pod-ready" => PodReady(obj),
        "@pod-status" => PodStatus(obj),
        "@pod-restarts" => PodRestarts(obj, now),
        "@external-ip" => ExternalIp(obj),
        "@service-ports" => ServicePorts(obj),
        "@selector" => Labels(Json.At(obj, "spec", "selector")),
        "@pod-selector" => Labels(Json.At(obj, "spec", "podSelector", "matchLabels")),
        "@endpoints" => Endpoints(obj),
        "@claim-status" =>
            Json.At(obj, "metadata", "deletionTimestamp") is not null ? "Terminating" : Json.Text(obj, "status", "phase") ?? "",
        "@access-modes" => AccessModes(obj),
        "@claim" => Json.Text(obj, "spec", "claimRef", "name") is { } claim
            ? $"{Json.Text(obj, "spec", "claimRef", "namespace")}/{claim}"
            : "",
        "@node-status" => NodeStatus(obj),
        "@node-roles" => NodeRoles(obj),
        "@internal-ip" =>
            Json.Objects(Json.At(obj, "status", "addresses")).Where(a => Json.Text(a, "type") == "InternalIP")
            .Select(a => Json.Text(a, "address")).FirstOrDefault() ?? "<none>",
        "@last-seen" => Since(Json.Text(obj, "series", "lastObservedTime") ?? Json.Text(obj, "lastTimestamp")
            ?? Json.Text(obj, "deprecatedLastTimestamp") ?? Json.Text(obj, "eventTime") ?? Json.Text(obj, "metadata", "creationTimestamp"),
            now),
        "@first-seen" =>
            Since(Json.Text(obj, "firstTimestamp") ?? Json.Text(obj, "eventTime") ?? Json.Text(obj, "metadata", "creationTimestamp"), now),
        "@event-object" =>
            (obj["involvedObject"] ?? obj["regarding"]) is var about
            ? $"{(Json.Text(about, "kind") ?? "").ToLowerInvariant()}/{Json.Text(about, "name")}"
            : "",
        "@event-source" =>
            string.Join(", ",
            ((string?[])[Json.Text(obj, "source", "component") ?? Json.Text(obj, "reportingComponent"), Json.Text(obj, "source", "host")])
            .Where(s => !string.IsNullOrEmpty(s))),
        "@role" => $"{Json.Text(obj, "roleRef", "kind")}/{Json.Text(obj, "roleRef", "name")}",
        "@ingress-hosts" => string.Join(",", Json.Objects(Json.At(obj, "spec", "rules")).Select(r => Json.Text(r, "host") ?? "*")),
        "@ingress-ports" => Json.At(obj, "spec", "tls") is JsonArray { Count: > 0 } ? "80, 443" : "80",
        "@job-status" => JobCells.State(obj),
        "@job-completions" => JobCells.Completions(obj),
        "@job-duration" => JobCells.Duration(obj, now),
        "@unset" => "<unset>",
        _ => "<none>",
    };

    /// <summary>Time since an instant, as kubectl writes it: 45s, 3m20s, 5h, 4d2h.</summary>
    public static string Since(string? timestamp, DateTimeOffset now)
    {
        if (!DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var then))
        {
            return "<unknown>";
        }
        var seconds = (long)(now - then).TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }
        seconds = Math.Max(0, seconds);
        long minutes = seconds / 60, hours = seconds / 3600, days = hours / 24;
        return seconds switch
        {
            < 120 => $"{seconds}s",
            < 600 => Two(minutes, "m", seconds % 60, "s"),
            < 3 * 3600 => $"{minutes}m",
            < 8 * 3600 => Two(hours, "h", minutes % 60, "m"),
            < 48 * 3600 => $"{hours}h",
            < 8 * 86400 => Two(days, "d", hours % 24, "h"),
            < 2 * 365 * 86400L => $"{days}d",
            < 8 * 365 * 86400L => Two(days / 365, "y", days % 365, "d"),
            _ => $"{days / 365}y",
        };
    }

    private static string Two(long big, string bigUnit, long small, string smallUnit) =>
        small == 0 ? $"{big}{bigUnit}" : $"{big}{bigUnit}{small}{smallUnit}";

    private static int Count(JsonNode? node) => node switch
    {
        JsonObject obj => obj.Count,
        JsonArray array => array.Count,
        _ => 0,
    };

    private static string Labels(JsonNode? node) =>
        node is JsonObject { Count: > 0 } labels ? string.Join(",", labels.Select(p => $"{p.Key}={Json.AsString(p.Value)}")) : "<none>";

    private static string PodReady(JsonObject pod)
    {
        var ready = Json.Objects(Json.At(pod, "status", "containerStatuses")).Count(c => Json.AsBool(c["ready"]));
        return $"{ready}/{Json.Objects(Json.At(pod, "spec", "containers")).Count()}";
    }

    private static string PodStatus(JsonObject pod)
    {
        var status = Json.Text(pod, "status", "reason") ?? Json.Text(pod, "status", "phase") ?? "Unknown";
        var init = Json.Objects(Json.At(pod, "status", "initContainerStatuses")).ToList();
        for (var i = 0; i < init.Count; i++)
        {
            if (Json.AsLong(Json.At(init[i], "state", "terminated", "exitCode")) == 0)
            {
                continue;
            }
            var why = Json.Text(init[i], "state", "terminated", "reason") ?? Json.Text(init[i], "state", "waiting", "reason");
            status = why is { Length: > 0 } and not "PodInitializing" ? "Init:" + why : $"Init:{i}/{init.Count}";
            return Finish(pod, status);
        }
        foreach (var container in Json.Objects(Json.At(pod, "status", "containerStatuses")).Reverse())
        {
            if (Json.Text(container, "state", "waiting", "reason") is { Length: > 0 } waiting)
            {
                status = waiting;
            }
            else if (Json.At(container, "state", "terminated") is JsonObject ended)
            {
                status = Json.Text(ended, "reason") is { Length: > 0 } reason ? reason : $"ExitCode:{Json.AsLong(ended["exitCode"])}";
            }
        }
        return Finish(pod, status);
    }

    private static string Finish(JsonObject pod, string status) =>
        Json.At(pod, "metadata", "deletionTimestamp") is null ? status : Json.Text(pod, "status", "reason") == "NodeLost" ? "Unknown"
            : "Terminating";

    private static string PodRestarts(JsonObject pod, DateTimeOffset now)
    {
        var statuses = Json.Objects(Json.At(pod, "status", "containerStatuses")).ToList();
        var count = statuses.Sum(c => Json.AsLong(c["restartCount"]) ?? 0);
        var last = statuses.Select(c => Json.Text(c, "lastState", "terminated", "finishedAt")).Where(t => t is not null)
            .Max(StringComparer.Ordinal);
        return count > 0 && last is not null ? $"{count} ({Since(last, now)} ago)" : count.ToString(CultureInfo.InvariantCulture);
    }

    private static string ExternalIp(JsonObject service) => Json.Text(service, "spec", "type") switch
    {
        "ExternalName" => Json.Text(service, "spec", "externalName") ?? "<none>",
        "LoadBalancer" =>
            Json.Objects(Json.At(service, "status", "loadBalancer", "ingress")).Select(i => Json.Text(i, "ip") ?? Json.Text(i, "hostname"))
            .FirstOrDefault() ?? "<pending>",
        _ => Json.At(service, "spec", "externalIPs") is JsonArray { Count: > 0 } ips ? string.Join(",", Json.StringItems(ips)) : "<none>",
    };

    private static string ServicePorts(JsonObject service)
    {
        var ports = Json.Objects(Json.At(service, "spec", "ports"))
            .Select(p => $"{Json.AsLong(p["port"])}{(Json.AsLong(p["nodePort"]) is { } node and > 0 ? ":" + node : "")}/{Json.Text(p,
            "protocol") ?? "TCP"}").ToList();
        return ports.Count == 0 ? "<none>" : string.Join(",", ports);
    }

    private static string Endpoints(JsonObject endpoints)
    {
        var all = new List<string>();
        foreach (var subset in Json.Objects(endpoints["subsets"]))
        {
            var ports = Json.Objects(subset["ports"]).Select(p => Json.AsLong(p["port"])).ToList();
            foreach (var address in Json.Objects(subset["addresses"]))
            {
                all.AddRange(ports.Count == 0 ? [Json.Text(address, "ip") ?? ""] : ports.Select(p => $"{Json.Text(address, "ip")}:{p}"));
            }
        }
        return all.Count == 0 ? "<none>" : all.Count <= 3 ? string.Join(",", all)
            : $"{string.Join(",", all.Take(3))} + {all.Count - 3} more...";
    }

    private static string AccessModes(JsonObject obj)
    {
        var modes = Json.At(obj, "status", "accessModes") as JsonArray
            ?? (Json.Text(obj, "kind") == "PersistentVolume" ? Json.At(obj, "spec", "accessModes") as JsonArray : null);
        return string.Join(",",
            Json.StringItems(modes)
            .Select(m => m switch
            {
                "ReadWriteOnce" => "RWO",
                "ReadOnlyMany" => "ROX",
                "ReadWriteMany" => "RWX",
                "ReadWriteOncePod" =>
            "RWOP",
                _ => m
            }));
    }

    private static string NodeStatus(JsonObject node)
    {
        var ready = Json.Objects(Json.At(node, "status", "conditions")).FirstOrDefault(c => Json.Text(c, "type") == "Ready");
        var text = ready is null ? "Unknown" : Json.Text(ready, "status") == "True" ? "Ready" : "NotReady";
        return Json.AsBool(Json.At(node, "spec", "unschedulable")) ? text + ",SchedulingDisabled" : text;
    }

    private static string NodeRoles(JsonObject node)
    {
        const string Prefix = "node-role.kubernetes.io/";
        var roles = (Json.At(node, "metadata", "labels") as JsonObject ?? []).Where(p => p.Key.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(p => p.Key[Prefix.Length..]).Order(StringComparer.Ordinal).ToList();
        return roles.Count == 0 ? "<none>" : string.Join(",", roles);
    }
}
