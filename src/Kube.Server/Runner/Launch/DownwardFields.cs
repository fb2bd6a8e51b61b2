using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner.Launch;

/// <summary>The downward API: what a pod may learn about itself.</summary>
internal static class DownwardFields
{
    /// <exception cref="ConfigException">The path is not one that the API offers.</exception>
    public static string Read(PodShape pod, string path)
    {
        var metadata = pod.Source.Object("metadata");
        if (Subscript(path, "metadata.labels") is { } label)
        {
            return metadata.Object("labels").Text(label) ?? "";
        }

        if (Subscript(path, "metadata.annotations") is { } annotation)
        {
            return metadata.Object("annotations").Text(annotation) ?? "";
        }

        return path switch
        {
            "metadata.name" => pod.Name,
            "metadata.namespace" => pod.Namespace,
            "metadata.uid" => pod.Uid,
            "metadata.labels" => Lines(metadata, "labels"),
            "metadata.annotations" => Lines(metadata, "annotations"),
            "spec.nodeName" => pod.NodeName,
            "spec.serviceAccountName" => pod.Source.Object("spec").Text("serviceAccountName") ?? "default",
            "status.podIP" or "status.podIPs" or "status.hostIP" or "status.hostIPs" => "127.0.0.1",
            _ => throw new ConfigException($"unsupported fieldPath: {path}"),
        };
    }

    /// <summary>requests and limits of a container, in units of the divisor, rounded up.</summary>
    /// <exception cref="ConfigException">It names neither.</exception>
    public static string Resource(PodShape pod, JsonObject reference, string container)
    {
        var name = reference.Text("containerName") ?? container;
        var parts = (reference.Text("resource") ?? "").Split('.', 2);
        if (parts.Length != 2 || parts[0] is not ("limits" or "requests"))
        {
            throw new ConfigException($"unsupported resource: {reference.Text("resource")}");
        }

        var resources = pod.Source.Object("spec").Objects("containers").FirstOrDefault(c => c.Text("name") == name).Object("resources");
        var quantity = resources.Object(parts[0]).Text(parts[1]);
        if (quantity is null && parts[0] == "requests")
        {
            return "0";
        }

        // Without a limit the machine is the limit.
        var amount = quantity is not null ? Quantity(quantity) ?? 0
            : parts[1] == "cpu" ? Environment.ProcessorCount : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var divisor = reference.Text("divisor") is { } text && Quantity(text) is > 0 and var given ? given : 1m;
        return Math.Ceiling(amount / divisor).ToString("0", CultureInfo.InvariantCulture);
    }

    private static decimal? Quantity(string text)
    {
        var digits = text.TrimEnd('K', 'M', 'G', 'T', 'P', 'k', 'm', 'i');
        decimal? factor = text[digits.Length..] switch
        {
            "" => 1m,
            "m" => 0.001m,
            "k" => 1e3m,
            "M" => 1e6m,
            "G" => 1e9m,
            "T" => 1e12m,
            "P" => 1e15m,
            "Ki" => 1L << 10,
            "Mi" => 1L << 20,
            "Gi" => 1L << 30,
            "Ti" => 1L << 40,
            "Pi" => 1L << 50,
            _ => null,
        };
        return decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number * factor : null;
    }

    private static string Lines(JsonObject? metadata, string map) => string.Concat(metadata.Map(map).OrderBy(e =>
        e.Key, StringComparer.Ordinal)
        .Select(e => $"{e.Key}=\"{e.Value.Replace("\"", "\\\"", StringComparison.Ordinal)}\"\n"));

    private static string? Subscript(string path, string prefix) =>
        path.StartsWith(prefix + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal)
            ? path[(prefix.Length + 2)..^2] : null;
}
