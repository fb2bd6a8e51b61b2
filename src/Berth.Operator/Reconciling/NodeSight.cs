using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What is to be known of the node of a pod that may be lost.</summary>
internal sealed record NodeSight
{
    /// <summary>The taint by which an administrator says that a node is down for good (Kubernetes 1.24 and later act on it too).</summary>
    internal const string OutOfServiceTaint = "node.kubernetes.io/out-of-service";

    /// <summary>There is such a node.</summary>
    public required bool Exists { get; init; }

    /// <summary>Its kubelet reports that it works.</summary>
    public bool Answers { get; init; }

    /// <summary>An administrator says that it is down for good.</summary>
    public bool OutOfService { get; init; }

    internal static NodeSight Of(Node? node) => new()
    {
        Exists = node is not null,
        Answers = node?.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true,
        OutOfService = node?.Spec?.Taints?.Any(t => t.Key == OutOfServiceTaint) == true,
    };
}
