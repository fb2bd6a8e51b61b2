using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>An object that the chart rendered.</summary>
internal sealed record Manifest(JsonObject Json)
{
    // As Helm orders them: what others need comes first.
    private static readonly string[] Order =
    [
        "PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget", "ServiceAccount", "Secret",
        "ConfigMap", "StorageClass", "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "Role",
        "RoleBinding", "Service", "Pod", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "Ingress",
    ];

    public string Kind => (string)Json["kind"]!;

    public string ApiVersion => (string)Json["apiVersion"]!;

    public string Name => (string)Json["metadata"]!["name"]!;

    public string? Namespace => (string?)Json["metadata"]!["namespace"];

    /// <summary>Kind, name and namespace, as one reads them.</summary>
    public string Title => $"{Kind}/{Name}" + (Namespace is null ? "" : $" in {Namespace}");

    /// <summary>The moments at which Helm runs it; none for what is simply there.</summary>
    public IReadOnlyList<string> Hooks => Annotation("helm.sh/hook")?.Split(',', StringSplitOptions.TrimEntries) ?? [];

    public int Weight => int.Parse(Annotation("helm.sh/hook-weight") ?? "0", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Whether <c>helm uninstall</c> leaves it.</summary>
    public bool IsKept => Annotation("helm.sh/resource-policy") == "keep";

    public int Rank => Array.IndexOf(Order, Kind) is var rank and >= 0 ? rank : Order.Length;

    public string? Annotation(string name) => (string?)Json["metadata"]!["annotations"]?[name];
}
