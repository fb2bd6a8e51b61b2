namespace Berth.Edge;

/// <summary>
/// Streams that stay open (upgrades and event streams), so that a decision that no longer holds can end them. Call it from whatever learns
/// of a revocation or of a change of a workspace; each call returns how many were cut.
/// </summary>
internal interface IOpenConnections
{
    /// <summary>Number of open streams, for metrics and activity.</summary>
    int Count { get; }

    /// <summary>Whether the workspace has a stream open.</summary>
    bool IsOpen(string workspaceNamespace, string workspaceName);

    /// <summary>Cuts the streams of one session.</summary>
    int CutSession(string sessionId);

    /// <summary>Cuts all streams of a person.</summary>
    int CutPerson(string issuer, string subject);

    /// <summary>Cuts all streams of a workspace (stopped or deleted).</summary>
    int CutWorkspace(string workspaceNamespace, string workspaceName);

    /// <summary>Decides anew for each stream of a changed workspace and cuts those that are no longer allowed.</summary>
    int Review(WorkspaceEntry workspace);
}
