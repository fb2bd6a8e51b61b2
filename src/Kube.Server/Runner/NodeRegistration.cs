using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Kube.Server.Runner;

/// <summary>Writes the Node object that stands for this machine.</summary>
internal static class NodeRegistration
{
    /// <summary>Creates or refreshes the node, with condition Ready.</summary>
    public static async Task WriteAsync(IClusterApi api, string name, TimeProvider time, CancellationToken cancellationToken)
    {
        if (api.Get(GroupResource.Nodes, null, name) is null)
        {
            try
            {
                await api.CreateAsync(GroupResource.Nodes, null, New(name), cancellationToken: cancellationToken);
            }
            catch (ApiException error) when (error.IsAlreadyExists)
            {
                // Another was quicker: its status is refreshed below.
            }
        }

        var now = JsonReading.Stamp(time.GetUtcNow());
        await api.ModifyAsync(GroupResource.Nodes, null, name, node =>
        {
            var before = node.Object("status").Objects("conditions").ToDictionary(c => c.Text("type")
                ?? "", c => (c.Text("status"), c.Text("lastTransitionTime")));
            node["status"] = Status(name, now, before);
            return true;
        }, "status", cancellationToken: cancellationToken);
    }

    private static JsonObject New(string name) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["labels"] = new JsonObject
            {
                ["kubernetes.io/hostname"] = name,
                ["kubernetes.io/os"] = OperatingSystem.IsMacOS() ? "darwin" : "linux",
                ["kubernetes.io/arch"] = Architecture,
            },
        },
        ["spec"] = new JsonObject(),
    };

    private static string Architecture => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static JsonObject Status(string name, string now, Dictionary<string, (string?, string?)> before)
    {
        var memory = (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024).ToString(CultureInfo.InvariantCulture) + "Ki";
        JsonObject Resources() => new()
        {
            ["cpu"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
            ["memory"] = memory,
            ["pods"] = "110",
        };
        return new JsonObject
        {
            ["capacity"] = Resources(),
            ["allocatable"] = Resources(),
            ["addresses"] = new JsonArray(
                new JsonObject { ["type"] = "InternalIP", ["address"] = "127.0.0.1" },
                new JsonObject { ["type"] = "Hostname", ["address"] = name }),
            ["conditions"] = new JsonArray(
                Condition("MemoryPressure", false, "KubeletHasSufficientMemory", "not measured by the process runner", now, before),
                Condition("DiskPressure", false, "KubeletHasNoDiskPressure", "not measured by the process runner", now, before),
                Condition("PIDPressure", false, "KubeletHasSufficientPID", "not measured by the process runner", now, before),
                Condition("Ready", true, "KubeletReady", "the process runner takes pods", now, before)),
            ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = 0 } },
            ["nodeInfo"] = new JsonObject
            {
                ["architecture"] = Architecture,
                ["bootID"] = "",
                ["machineID"] = "",
                ["systemUUID"] = "",
                ["containerRuntimeVersion"] = "process://1",
                ["kernelVersion"] = Environment.OSVersion.Version.ToString(),
                ["kubeProxyVersion"] = "",
                ["kubeletVersion"] = "v1.33.0+process-runner",
                ["operatingSystem"] = OperatingSystem.IsMacOS() ? "darwin" : "linux",
                ["osImage"] = RuntimeInformation.OSDescription,
            },
        };
    }

    private static JsonObject Condition(
        string type, bool holds, string reason, string message, string now, Dictionary<string, (string? Status, string? Changed)> before)
    {
        var status = holds ? "True" : "False";
        var known = before.GetValueOrDefault(type);
        return new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["reason"] = reason,
            ["message"] = message,
            ["lastHeartbeatTime"] = now,
            ["lastTransitionTime"] = known.Status == status && known.Changed is not null ? known.Changed : now,
        };
    }
}
