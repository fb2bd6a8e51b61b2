using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner.Ports;

/// <summary>The pod annotation that tells which port of this machine stands for which port of the pod.</summary>
internal static class PortAnnotation
{
    public const string Name = "runner.kube-server/ports";

    /// <summary>JSON: every container port by number, and by name where it has one.</summary>
    public static string Write(IEnumerable<ContainerShape> containers, IReadOnlyDictionary<int, int> assigned)
    {
        var map = new JsonObject();
        foreach (var port in containers.SelectMany(c => c.Ports).Where(p => assigned.ContainsKey(p.ContainerPort)))
        {
            map[port.ContainerPort.ToString(CultureInfo.InvariantCulture)] = assigned[port.ContainerPort];
            if (port.Name is { Length: > 0 } name)
            {
                map[name] = assigned[port.ContainerPort];
            }
        }

        return map.ToJsonString();
    }

    /// <summary>What the annotation says; empty when there is none or it is not valid.</summary>
    public static IReadOnlyDictionary<string, int> Read(JsonObject pod)
    {
        var ports = new Dictionary<string, int>(StringComparer.Ordinal);
        if (pod.Object("metadata").Object("annotations").Text(Name) is not { } text)
        {
            return ports;
        }

        try
        {
            foreach (var (key, value) in JsonNode.Parse(text) as JsonObject ?? [])
            {
                if (value is JsonValue number && number.TryGetValue(out int port) && port is > 0 and < 65536)
                {
                    ports[key] = port;
                }
            }
        }
        catch (JsonException)
        {
            // Somebody edited it: as good as none, the runner writes it anew.
        }

        return ports;
    }
}
