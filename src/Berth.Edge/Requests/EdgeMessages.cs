namespace Berth.Edge;

/// <summary>The texts of the core, in one place.</summary>
internal static class EdgeMessages
{
    /// <summary>Label of the action that leads to sign-in; its URL is the problem's loginUrl.</summary>
    public const string SignInLabel = "Sign in";

    public static EdgeMessage BadRequest(string detail) => new() { Status = 400, Reason = "bad-request", Title = "This request cannot be served", Detail = detail };

    public static EdgeMessage UnknownHost() => new()
    {
        Status = StatusCodes.Status421MisdirectedRequest,
        Reason = "unknown-host",
        Title = "Nothing is served under this name",
        Detail = "The address does not belong to this service. Check its spelling, or the configured public origin and workspace domain.",
    };

    public static EdgeMessage SignInRequired(string loginUrl) => new()
    {
        Status = 401,
        Reason = "sign-in-required",
        Title = "Sign in first",
        Detail = "There is no session, or it has ended.",
        Actions = [new EdgeAction(SignInLabel, loginUrl)],
    };

    public static EdgeMessage Forbidden(Caller caller, string detail, EdgeSettings settings) => new()
    {
        Status = 403,
        Reason = "forbidden",
        Title = "This workspace is not shared with you",
        Detail = $"You are signed in as {caller.DisplayName}. {detail}",
        Actions = [new EdgeAction("Go to your own workspace", settings.PublicOrigin + "/"), new EdgeAction("Sign out", settings.PublicOrigin + "/logout")],
    };

    public static EdgeMessage ProxyNotTrusted() => new()
    {
        Status = 403,
        Reason = "proxy-not-trusted",
        Title = "This address is for the ingress proxy",
        Detail = "The edge answers it only for proxies whose network is named in its configuration (TrustedProxies). Nothing was let through.",
    };

    public static EdgeMessage CrossSite() => new()
    {
        Status = 403,
        Reason = "cross-site",
        Title = "This request came from another site",
        Detail = "The edge only accepts it from its own pages. Open the page again and repeat what you did.",
    };

    public static EdgeMessage NoWorkspace(EdgeSettings settings) => new()
    {
        Status = 404,
        Reason = "workspace-not-found",
        Title = "There is no workspace at this address",
        Detail = "It may have been deleted, or not be created yet.",
        Actions = [new EdgeAction("Go to your own workspace", settings.PublicOrigin + "/")],
    };

    public static EdgeMessage NotFound() => new() { Status = 404, Reason = "not-found", Title = "Not found", Detail = "There is nothing at this address." };

    public static EdgeMessage NotReady(WorkspaceEntry entry) => new()
    {
        Status = 503,
        Reason = "workspace-not-ready",
        Title = "The workspace is not ready",
        Detail = $"Its phase is {entry.Phase}. {entry.Message}".TrimEnd(),
    };

    public static EdgeMessage Upstream(int status, string reason, string detail) => new()
    {
        Status = status,
        Reason = reason,
        Title = "The workspace did not answer",
        Detail = detail,
    };

    public static EdgeMessage SignInFailed(string reason, string detail, EdgeSettings settings, int status = 400) => new()
    {
        Status = status,
        Reason = reason,
        Title = "Signing in did not work",
        Detail = detail,
        Actions = [new EdgeAction("Sign in again", settings.PublicOrigin + "/login")],
    };

    public static EdgeMessage Maintenance() => new()
    {
        Status = 503,
        Reason = "maintenance",
        Title = "Signing in is not possible right now",
        Detail = "The account store is being maintained. People who are signed in can go on working; try again in a few minutes.",
        Actions = [new EdgeAction("Try again", "/login")],
    };
}
