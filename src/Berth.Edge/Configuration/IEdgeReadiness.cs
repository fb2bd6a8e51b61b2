namespace Berth.Edge;

/// <summary>Whether this replica can sign people in and verify tokens; for /readyz.</summary>
internal interface IEdgeReadiness
{
    /// <summary>
    /// True once discovery and keys of every configured provider have been loaded (they are kept when a provider goes away later).
    /// </summary>
    bool IsReady { get; }

    /// <summary>What is missing, in words; null when ready.</summary>
    string? NotReadyBecause { get; }
}
