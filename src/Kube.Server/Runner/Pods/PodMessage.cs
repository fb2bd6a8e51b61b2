using System.Text.Json.Nodes;
using Kube.Server.Runner.Processes;

namespace Kube.Server.Runner.Pods;

/// <summary>What a pod's worker is told.</summary>
internal abstract record PodMessage
{
    /// <summary>The object changed.</summary>
    public sealed record Updated(JsonObject Pod) : PodMessage;

    /// <summary>The object is gone without our doing: somebody deleted it with no grace.</summary>
    public sealed record Removed : PodMessage;

    /// <summary>A run of a container ended.</summary>
    public sealed record Exited(string Container, string Id, ExitStatus Status, string? LastWords = null) : PodMessage;

    /// <summary>A probe failed; <see cref="Reached"/> when by that its failure threshold is reached.</summary>
    public sealed record ProbeFailed(string Container, string Id, ProbeShape Probe, string Message, bool Reached) : PodMessage;

    /// <summary>A probe's verdict changed.</summary>
    public sealed record ProbeVerdict(string Container, string Id, ProbeKind Kind, bool Success) : PodMessage;
}
