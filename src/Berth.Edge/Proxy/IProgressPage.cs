namespace Berth.Edge;

/// <summary>
/// What the edge itself answers on a workspace's host. The caller is already authenticated and allowed when these are called.
/// </summary>
internal interface IProgressPage
{
    /// <summary>
    /// Answers a navigation to a workspace that cannot be forwarded to yet (or whose process just refused the connection).
    /// </summary>
    Task ShowAsync(HttpContext context, WorkspaceAccess access);

    /// <summary>
    /// Answers a path below <c>/.berth/</c> other than <c>/.berth/session</c>, such as the event stream of the progress page or its wake-up
    /// button (unsafe methods have passed the same-origin check).
    /// </summary>
    /// <returns>False when there is no such path: the edge answers 404.</returns>
    Task<bool> TryHandleReservedPathAsync(HttpContext context, WorkspaceAccess access);
}

/// <summary>A request that has been let through to a workspace.</summary>
/// <param name="Workspace">The workspace.</param>
/// <param name="Caller">The person.</param>
/// <param name="Role"><c>owner</c>, <c>admin</c> or the role of a share.</param>
internal sealed record WorkspaceAccess(WorkspaceEntry Workspace, Caller Caller, string Role)
{
    /// <summary>
    /// Whether the same would be decided about the workspace as it is now, and it is the same one: a name may come back with another owner.
    /// </summary>
    public bool StillHolds(WorkspaceEntry now, AccessRequest request, DateTimeOffset at) =>
        (now.Namespace, now.Name, now.OwnerIssuer, now.OwnerSubject)
            == (Workspace.Namespace, Workspace.Name, Workspace.OwnerIssuer, Workspace.OwnerSubject)
        && Authorizer.Decide(Caller, now, request, at) is { Kind: AccessKind.Allow } decision && decision.Role == Role;
}
