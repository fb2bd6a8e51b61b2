using System.Net;
using System.Text.Json.Nodes;

namespace Berth.Chart.Tests;

/// <summary>A pod as network policies see it.</summary>
internal sealed record Pod(string Namespace, Dictionary<string, string> Labels)
{
    /// <summary>A pod of a template of the chart.</summary>
    public static Pod Of(Manifests manifests, string owner)
    {
        var (_, template) = manifests.PodTemplates().First(p => p.Owner.StartsWith(owner, StringComparison.Ordinal));
        return new Pod(Chart.Namespace, template.Labels());
    }
}

/// <summary>
/// Evaluates network policies as the API reference describes them: policies add up, and bear only on pods that one of them selects.
/// </summary>
internal sealed class Flows(Manifests manifests)
{
    /// <summary>Whether one pod may open a connection to another.</summary>
    public bool Allows(Pod from, Pod to, int port) =>
        Allowed(from, "egress", "to", port, rule => Peers(rule, "to", from.Namespace, to))
        && Allowed(to, "ingress", "from", port, rule => Peers(rule, "from", to.Namespace, from));

    /// <summary>Whether a pod may open a connection to an address.</summary>
    public bool Allows(Pod from, string address, int port) => Allowed(from, "egress", "to", port, rule =>
        rule["to"] is not JsonArray peers || peers.Any(p =>
            p!["ipBlock"] is { } block && IPNetwork.Parse((string)block["cidr"]!).Contains(IPAddress.Parse(address))));

    private bool Allowed(Pod pod, string direction, string _, int port, Func<JsonNode, bool> matches)
    {
        var type = direction == "egress" ? "Egress" : "Ingress";
        var selecting = manifests.Of("NetworkPolicy").Where(p => p.NamespaceOf() == pod.Namespace
            && p["spec"]!["policyTypes"].Strings().Contains(type) && Selects(p["spec"]!["podSelector"]!, pod.Labels)).ToList();
        return selecting.Count == 0 || selecting.SelectMany(p => p["spec"]![direction]?.AsArray() ?? []).OfType<JsonNode>()
            .Any(rule => matches(rule) && (rule["ports"] is not JsonArray ports || ports.Any(p => (int)p!["port"]! == port)));
    }

    private static bool Peers(JsonNode rule, string list, string ownNamespace, Pod other) =>
        rule[list] is not JsonArray peers || peers.Any(peer =>
        peer!["ipBlock"] is null
        && (peer["namespaceSelector"] is { } namespaces
            ? Selects(namespaces, new() { ["kubernetes.io/metadata.name"] = other.Namespace })
            : other.Namespace == ownNamespace)
        && (peer["podSelector"] is not { } pods || Selects(pods, other.Labels)));

    private static bool Selects(JsonNode selector, Dictionary<string, string> labels) =>
        (selector["matchLabels"]?.AsObject() ?? []).All(l => labels.GetValueOrDefault(l.Key) == (string?)l.Value)
        && (selector["matchExpressions"]?.AsArray() ?? []).All(e => (string)e!["operator"]! switch
        {
            "Exists" => labels.ContainsKey((string)e["key"]!),
            "In" => e["values"].Strings().Contains(labels.GetValueOrDefault((string)e["key"]!)),
            var other => throw new NotSupportedException(other),
        });
}
