namespace Berth.Edge;

/// <summary>
/// Everything that is under way for somebody (requests to workspaces, live pages, followed logs), so that a decision that no longer holds
/// can end it. Call it from whatever learns of a revocation or of a change of a workspace, after it is in effect for new requests; each
/// call
/// returns how many were cut.
/// </summary>
internal interface IOpenConnections
{
    /// <summary>Number of open streams (upgrades, event streams, live pages), for metrics.</summary>
    int Count { get; }

    /// <summary>How many of them are WebSockets.</summary>
    int WebSockets { get; }

    /// <summary>Whether the workspace has a stream open.</summary>
    bool IsOpen(string workspaceNamespace, string workspaceName);

    /// <summary>Cuts what is open for one session.</summary>
    int CutSession(string sessionId);

    /// <summary>Cuts what is open for one personal access token.</summary>
    int CutToken(Guid token);

    /// <summary>Cuts all that is open for a person.</summary>
    int CutPerson(string issuer, string subject);

    /// <summary>Cuts all that leads to a workspace (stopped or deleted).</summary>
    int CutWorkspace(string workspaceNamespace, string workspaceName);

    /// <summary>Cuts everything: this replica ends.</summary>
    int CutAll();

    /// <summary>Decides anew for all that leads to a changed workspace, and cuts what is no longer allowed.</summary>
    int Review(WorkspaceEntry workspace);
}
