namespace Berth.Edge;

/// <summary>The texts of the core, in one place.</summary>
internal static class EdgeMessages
{
    /// <summary>Label of the action that leads to sign-in; its URL is the problem's loginUrl.</summary>
    public const string SignInLabel = "Sign in";

    private static EdgeAction FirstPage => new("Go to the first page", "/");

    public static EdgeMessage BadRequest(string detail) => new()
    {
        Status = 400,
        Reason = "bad-request",
        Title = "This request cannot be served",
        Detail = $"{detail} Nothing was changed. Check the address, or start again from the first page.",
        Actions = [FirstPage],
    };

    public static EdgeMessage UnknownHost(EdgeSettings settings) => new()
    {
        Status = StatusCodes.Status421MisdirectedRequest,
        Reason = "unknown-host",
        Title = "Nothing is served under this name",
        Detail = "The address does not belong to this service. Check its spelling; who runs the service checks the public origin and "
            + "workspace domain.",
        Actions = [new EdgeAction("Go to the first page", settings.PublicOrigin + "/")],
    };

    public static EdgeMessage SignInRequired(string loginUrl) => new()
    {
        Status = 401,
        Reason = "sign-in-required",
        Title = "Sign in first",
        Detail = "You are not signed in, or your session has ended. Your workspace and its files are as you left them; sign in and go on.",
        Actions = [new EdgeAction(SignInLabel, loginUrl)],
    };

    public static EdgeMessage InvalidToken(EdgeSettings settings) => new()
    {
        Status = 401,
        Reason = "invalid-token",
        Title = "The token is not accepted",
        Detail = "It is wrong, has ended or is not for this service; nothing was done with it. Get a new access token, "
            + "or make a new personal access token.",
        Actions = [new EdgeAction(SignInLabel, settings.PublicOrigin + "/login")],
    };

    public static EdgeMessage Forbidden(Caller caller, string detail, EdgeSettings settings) => new()
    {
        Status = 403,
        Reason = "forbidden",
        Title = "This workspace is not shared with you",
        Detail = $"You are signed in as {caller.DisplayName}. {detail} Your own workspaces are not affected.",
        Actions = [new EdgeAction("Go to your own workspace", settings.PublicOrigin + "/"),
            new EdgeAction("Sign out", settings.PublicOrigin + "/logout")],
    };

    public static EdgeMessage ProxyNotTrusted() => new()
    {
        Status = 403,
        Reason = "proxy-not-trusted",
        Title = "This address is for the ingress proxy",
        Detail = "The edge answers it only for proxies whose network is named in its configuration (TrustedProxies). Nothing was let "
            + "through.",
    };

    public static EdgeMessage CrossSite() => new()
    {
        Status = 403,
        Reason = "cross-site",
        Title = "This request came from another site",
        Detail = "It is accepted from the service's own pages only, so nothing was changed. Open the page again and repeat what you did.",
    };

    public static EdgeMessage NoWorkspace(EdgeSettings settings) => new()
    {
        Status = 404,
        Reason = "workspace-not-found",
        Title = "There is no workspace at this address",
        Detail = "It may have been deleted, or not be created yet. Deleting keeps the files unless the workspace was set to lose them; "
            + "its owner finds them "
            + "again by creating one of the same name.",
        Actions = [new EdgeAction("Go to your own workspace", settings.PublicOrigin + "/")],
    };

    public static EdgeMessage NotFound() => new()
    {
        Status = 404,
        Reason = "not-found",
        Title = "Not found",
        Detail = "There is nothing at this address. It may be misspelt, or the link to it may be old.",
        Actions = [FirstPage],
    };

    public static EdgeMessage NotReady(WorkspaceEntry entry) => new()
    {
        Status = 503,
        Reason = "workspace-not-ready",
        Title = "The workspace is not ready",
        Detail = $"Its phase is {entry.Phase}. {entry.Message}".TrimEnd()
            + " Its files are kept. Try again in a moment, or open the workspace in a browser to see more.",
    };

    public static EdgeMessage TooManyWaiting() => new()
    {
        Status = 503,
        Reason = "too-many-waiting",
        Title = "The workspace is not ready",
        Detail = "It is starting, and as many connections wait for it as may. Its files are kept. Try again in a moment.",
    };

    public static EdgeMessage Upstream(int status, string reason, string detail) => new()
    {
        Status = status,
        Reason = reason,
        Title = "The workspace did not answer",
        Detail = detail,
    };

    public static EdgeMessage BodyTooLarge() => new()
    {
        Status = StatusCodes.Status413PayloadTooLarge,
        Reason = "body-too-large",
        Title = "The request is too large",
        Detail = $"This address takes at most {RequestSizes.MaximumOwnBody / 1024} KiB. Nothing was changed. Files go to the workspace "
            + "itself.",
        Actions = [FirstPage],
    };

    public static EdgeMessage HeadersTooLarge() => new()
    {
        Status = StatusCodes.Status431RequestHeaderFieldsTooLarge,
        Reason = "headers-too-large",
        Title = "The headers of this request are too large",
        Detail = $"At most {RequestSizes.MaximumHeaderCount} headers and {RequestSizes.MaximumHeaders / 1024} KiB are read; most often "
            + "cookies have piled up. Nothing was changed. Delete the cookies of this site in your browser's settings and open the page "
            + "again.",
    };

    public static EdgeMessage TooMany(EdgeLimit limit) => new()
    {
        Status = StatusCodes.Status429TooManyRequests,
        Reason = "too-many-requests",
        Title = "Too many requests",
        Detail = limit switch
        {
            EdgeLimit.Address => "More requests came from your network than one may send.",
            EdgeLimit.SignIn => "Too many sign-ins, or refused tokens, came from your network.",
            EdgeLimit.Person => "More requests came from you than one person may send.",
            EdgeLimit.Workspace => "More requests came for this workspace than one may get.",
            EdgeLimit.WorkspaceRequests => "Too many requests to this workspace are still being answered.",
            EdgeLimit.PersonWebSockets => "You have too many connections open: close windows or terminals that you do not need.",
            _ => "This workspace has too many connections open: close windows or terminals that nobody needs.",
        } + " Nothing was changed. Wait a moment and try again; who runs the service can raise the limit.",
    };

    public static EdgeMessage PersonNotAllowed() => new()
    {
        Status = 403,
        Reason = "person-not-allowed",
        Title = "This person may not use the service",
        Detail = "The token is good, but the organisation, e-mail domain or groups that it names are none of those that may come in, or it "
            + "does not name them. Ask who runs the service; they find the rules under Issuers:Allow.",
    };

    public static EdgeMessage CannotVerify() => new()
    {
        Status = 503,
        Reason = "cannot-verify",
        Title = "The token cannot be verified right now",
        Detail = "The identity provider that made the token does not answer. Nothing is wrong with the token; try again in a moment.",
    };

}
