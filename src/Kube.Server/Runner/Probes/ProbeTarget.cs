using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner.Probes;

/// <summary>What a probe said.</summary>
internal readonly record struct ProbeOutcome(bool Success, string Message);

/// <summary>Turns a probe's port (number or name) into the port of this machine that stands for it.</summary>
internal static class ProbePorts
{
    /// <summary>Null when no container port has that name or it is no port at all.</summary>
    public static int? Resolve(JsonNode? port, ContainerShape container, IReadOnlyDictionary<int, int> assigned)
    {
        if (port is not JsonValue value)
        {
            return null;
        }

        var text = value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            var named = container.Ports.FirstOrDefault(p => p.Name == text);
            number = named.ContainerPort;
        }

        // A port that the container did not declare was not assigned one: it is then what the process itself listens on.
        return number is > 0 and < 65536 ? assigned.GetValueOrDefault(number, number) : null;
    }
}
