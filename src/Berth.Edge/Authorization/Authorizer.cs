namespace Berth.Edge;

/// <summary>Outcome of a decision.</summary>
internal enum AccessKind
{
    /// <summary>Let through with a role.</summary>
    Allow,

    /// <summary>A stranger: has to sign in.</summary>
    SignIn,

    /// <summary>Known, but not allowed.</summary>
    Forbidden,

    /// <summary>Known, and there is no such workspace.</summary>
    NotFound,
}

/// <summary>Why a known person is not let through.</summary>
internal enum DenyReason
{
    /// <summary>They are.</summary>
    None,

    /// <summary>Neither owner, nor administrator, nor shared with.</summary>
    NotShared,

    /// <summary>The share has ended.</summary>
    ShareEnded,

    /// <summary>They would be let through as an administrator, after a stronger sign-in.</summary>
    StepUp,

    /// <summary>A viewer's share lets nothing through that could change something.</summary>
    ReadOnly,

    /// <summary>Somebody else's, where workspaces of all people have one origin.</summary>
    OneOrigin,
}

/// <summary>What a request is about to do.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="IsUpgrade">Whether it opens a two-way stream.</param>
internal readonly record struct AccessRequest(string Method, bool IsUpgrade)
{
    /// <summary>Looking at a page.</summary>
    public static AccessRequest Page => new("GET", false);
}

/// <summary>A decision.</summary>
/// <param name="Kind">Outcome.</param>
/// <param name="Role">Role when allowed.</param>
/// <param name="Reason">Why not, when forbidden.</param>
/// <param name="Until">When the decision ends by itself (a share's until); null for no such end.</param>
internal readonly record struct AccessDecision(AccessKind Kind, string? Role = null, DenyReason Reason = DenyReason.None,
    DateTimeOffset? Until = null)
{
    /// <summary>The reason in words for the person.</summary>
    public string Explanation => Reason switch
    {
        DenyReason.ShareEnded => "Your access to this workspace has ended; ask its owner to share it again.",
        DenyReason.ReadOnly => "Your share lets you look at this workspace, not change it; ask its owner for more.",
        DenyReason.OneOrigin => "The workspaces of this installation share one address, which browsers take for one site: you can "
            + "open your own only, so that nobody else's pages can reach them. "
            + "Who runs the service can change that (PathPrefix:AllowOthers).",
        _ => "Ask its owner to share it with you, or sign in as somebody else.",
    };
}

/// <summary>
/// Who may use a workspace. A pure function: every path to a workspace (page, upgrade, ticket, review of open streams) asks it.
/// </summary>
internal static class Authorizer
{
    /// <summary>Role of the owner.</summary>
    public const string OwnerRole = "owner";

    /// <summary>Role of an administrator.</summary>
    public const string AdministratorRole = "admin";

    /// <summary>
    /// Role of a share that only lets safe requests through, and no upgrades: most applications do not look at the identity header, and
    /// would give a viewer their terminal.
    /// </summary>
    public const string ViewerRole = "view";

    private const int MaximumRoleLength = 32;

    /// <summary>Decides.</summary>
    /// <param name="caller">The person, or null for a stranger.</param>
    /// <param name="workspace">The workspace, or null when there is none.</param>
    /// <param name="request">What is about to be done.</param>
    /// <param name="now">Time, for shares that end.</param>
    public static AccessDecision Decide(Caller? caller, WorkspaceEntry? workspace, AccessRequest request, DateTimeOffset now)
    {
        if (caller is null || now >= caller.ExpiresAt)
        {
            return new AccessDecision(AccessKind.SignIn);
        }

        if (workspace is null)
        {
            return new AccessDecision(AccessKind.NotFound);
        }

        if (caller.Issuer == workspace.OwnerIssuer && caller.Subject == workspace.OwnerSubject)
        {
            return new AccessDecision(AccessKind.Allow, OwnerRole);
        }

        if (workspace.IsOwnerOnly)
        {
            return new AccessDecision(AccessKind.Forbidden, Reason: DenyReason.OneOrigin);
        }

        if (caller.IsAdministrator)
        {
            return new AccessDecision(AccessKind.Allow, AdministratorRole);
        }

        return ByShare(caller, workspace, request, now);
    }

    private static AccessDecision ByShare(Caller caller, WorkspaceEntry workspace, AccessRequest request, DateTimeOffset now)
    {
        var denied = DenyReason.NotShared;
        WorkspaceShare? viewer = null;
        foreach (var share in workspace.Shares)
        {
            if (share.Subject != caller.Subject || (share.Issuer ?? workspace.OwnerIssuer) != caller.Issuer || !IsShareRole(share.Role))
            {
                continue;
            }

            if (share.Until is { } until && now >= until)
            {
                denied = denied == DenyReason.NotShared ? DenyReason.ShareEnded : denied;
                continue;
            }

            if (share.Role != ViewerRole)
            {
                return new AccessDecision(AccessKind.Allow, share.Role, Until: share.Until);
            }

            viewer ??= share;
        }

        if (viewer is null)
        {
            return new AccessDecision(AccessKind.Forbidden, Reason: caller.MissingStepUp is null ? denied : DenyReason.StepUp);
        }

        return RequestKinds.IsSafe(request.Method) && !request.IsUpgrade
            ? new AccessDecision(AccessKind.Allow, ViewerRole, Until: viewer.Until)
            : new AccessDecision(AccessKind.Forbidden, Reason: DenyReason.ReadOnly);
    }

    // A share never gives a role that ownership or administration gives; a malformed role gives nothing.
    private static bool IsShareRole(string role) => role.Length is > 0 and <= MaximumRoleLength
        && role.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && role is not (OwnerRole or AdministratorRole);
}
