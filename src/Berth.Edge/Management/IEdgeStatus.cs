namespace Berth.Edge;

/// <summary>What the readiness probe answers, for a host that runs the edge in its own process.</summary>
public interface IEdgeStatus
{
    /// <summary>What keeps this replica from serving, one phrase each; empty when it is ready.</summary>
    IReadOnlyList<string> NotReadyBecause();
}
