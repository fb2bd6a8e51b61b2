using System.Security.Cryptography;

namespace Berth.Edge;

/// <summary>Everything that arrives on a workspace's host. Nothing gets past it but what the authoriser lets through.</summary>
/// <remarks>
/// <code>
/// bearer token or cookie -> caller (WorkspaceCallers, which answers what is wrong with them)
/// /.berth/session?ticket= -> ticket into host-only cookie -> back to the path
/// caller -> authoriser -+- stranger: navigation -> edge's /auth/workspace (with a hop cookie) | else 401
///                       +- known, not allowed: 403        +- no such workspace: 404
///                       '- allowed -> same-origin rules -> /.berth/… | not ready | limits (429) -> forward
/// </code>
/// </remarks>
internal sealed class WorkspaceGate(
    EdgeSettings settings,
    SessionCookies cookies,
    WorkspaceCallers callers,
    BearerGate bearer,
    WorkspaceTickets tickets,
    IWorkspaceDirectory directory,
    WorkspaceForwarder forwarder,
    WorkspaceIdentitySigner signer,
    IProgressPage progress,
    IEdgePages pages,
    IActivityMeter activity,
    RequestLimits limits,
    Waiting waiting,
    TimeProvider clock)
{
    private const string ReservedPrefix = "/.berth/";

    // Long enough for a person to type a password and a second factor at the provider.
    private static readonly TimeSpan HopLifetime = TimeSpan.FromMinutes(15);

    private delegate Task Continuation(HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until);

    /// <summary>Answers the request.</summary>
    public Task HandleAsync(HttpContext context, CanonicalRequest request) => DecideAsync(context, request, PassAsync);

    /// <summary>Answers a proxy that asks whether it may pass the request on itself.</summary>
    public Task AnswerProxyAsync(HttpContext context, CanonicalRequest request) =>
        IsReserved(request) ? pages.WriteAsync(context, EdgeMessages.NotFound()) : DecideAsync(context, request, AnswerAsync);

    private static bool IsReserved(CanonicalRequest request) =>
        request.Path.StartsWith(ReservedPrefix, StringComparison.Ordinal) || request.Path == "/.berth";

    private async Task DecideAsync(HttpContext context, CanonicalRequest request, Continuation pass)
    {
        // Only a browser brings a ticket, whoever its cookies say it is; what shows a token is none. A browser may send along what the
        // application asked it for (Basic).
        if (request.Path == WorkspaceHopEndpoint.SessionPath && !BearerGate.IsShown(context.Request.Headers.Authorization))
        {
            await TakeTicketAsync(context, request);
            return;
        }

        var (caller, arrived) = await callers.FindAsync(context, request, IsReserved(request));
        if (arrived is null)
        {
            return;
        }

        request = arrived;
        directory.TryFindByHost(request.Host, out var entry);
        var decision = Authorizer.Decide(caller, entry, new AccessRequest(context.Request.Method, request.IsUpgrade), clock.GetUtcNow());
        switch (decision.Kind)
        {
            case AccessKind.Allow when SameOriginRefusal(context, request, caller!):
                await pages.WriteAsync(context, EdgeMessages.CrossSite());
                break;
            case AccessKind.Allow:
                context.State().Caller = caller;
                await pass(context, request, new WorkspaceAccess(entry!, caller!, decision.Role!),
                    Earlier(caller!.ExpiresAt, decision.Until));
                break;
            case AccessKind.SignIn when caller is { Kind: CallerKind.Bearer }:
                // Ended within the seconds that clocks may differ by.
                await bearer.RefuseAsync(context);
                break;
            case AccessKind.SignIn when context.State().RefusedSession is { } refused:
                await pages.WriteAsync(context, RulePages.Refused(settings, refused));
                break;
            case AccessKind.SignIn:
                await StrangerAsync(context, request);
                break;
            case AccessKind.NotFound:
                await pages.WriteAsync(context, EdgeMessages.NoWorkspace(settings));
                break;
            case AccessKind.Forbidden when decision.Reason == DenyReason.StepUp:
                await StepUpRequired.WriteAsync(context, pages, caller!,
                    settings.WorkspaceAddress(request.Host) + ReturnTargets.CleanWorkspacePath(request.Path + request.Query), settings);
                break;
            default:
                RequestNotes.Denied(context, caller!, decision.Reason);
                await pages.WriteAsync(context, EdgeMessages.Forbidden(caller!, decision.Explanation, settings));
                break;
        }
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset? b) => b < a ? b.Value : a;

    private bool SameOriginRefusal(HttpContext context, CanonicalRequest request, Caller caller)
    {
        var headers = context.Request.Headers;
        var origin = settings.WorkspaceOrigin(request.Host);
        if (caller.Kind == CallerKind.Bearer)
        {
            // No browser adds a token by itself, so no page can make one use it. A page of another origin that has one all the same gets
            // no stream, which no preflight guards.
            return request.IsUpgrade && headers.Origin.Count > 0 && !SameOrigin.IsUpgradeAllowed(headers, origin);
        }

        if (request.IsUpgrade)
        {
            return !SameOrigin.IsUpgradeAllowed(headers, origin);
        }

        return RequestKinds.IsSafe(context.Request.Method) ? !SameOrigin.IsReadAllowed(headers) : !SameOrigin.IsProven(headers, origin);
    }

    private Task PassAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until) =>
        IsReserved(request) ? ReservedAsync(context, access)
            : access.Workspace.IsReady ? ForwardAsync(context, request, access, until)
            : waiting.IsFor(request, access.Workspace) ? WaitAsync(context, request, access, until)
            : NotReadyAsync(context, request, access);

    private Task ReservedAsync(HttpContext context, WorkspaceAccess access) => RequestSizes.RunAsync(context, pages, async () =>
    {
        if (!await progress.TryHandleReservedPathAsync(context, access))
        {
            await pages.WriteAsync(context, EdgeMessages.NotFound());
        }
    });

    // Who waits is not counted yet: a workspace that starts has all its places.
    private async Task WaitAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until)
    {
        if (await waiting.ForAsync(context, request, access, until) is { } ready)
        {
            await ForwardAsync(context, request, ready, until);
        }
    }

    private Task ForwardAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until)
    {
        var admission = limits.Forward(request, access);
        return admission.IsRefused
            ? limits.WriteAsync(context, admission) : forwarder.ForwardAsync(context, request, access, until, admission);
    }

    // The headers are the answer; no body.
    private Task AnswerAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until)
    {
        // An upgrade whose marks a proxy left out looks like a GET; scripts of other origins say theirs in both.
        var origin = context.Request.Headers.Origin;
        if (origin.Count > 0 && origin != settings.WorkspaceOrigin(request.Host))
        {
            return pages.WriteAsync(context, EdgeMessages.CrossSite());
        }

        if (!access.Workspace.IsReady)
        {
            return NotReadyAsync(context, request, access);
        }

        var admission = limits.Forward(request, access, byProxy: true);
        if (admission.IsRefused)
        {
            return limits.WriteAsync(context, admission);
        }

        context.State().Verdict!.Passes = true;
        activity.Begin(access.Workspace, request.Path);
        context.Response.Headers[ProtectedHeaders.Identity] = signer.Sign(access);
        if (CookieHeader.WithoutOurs(context.Request.Headers.Cookie, visibleAsciiOnly: true) is { } cookies)
        {
            context.Response.Headers.Cookie = cookies;
        }

        // The application's own; a token that the edge has used was taken out. The proxy removes what is not here.
        if (context.Request.Headers.Authorization is { Count: 1 } own)
        {
            context.Response.Headers.Authorization = own;
        }

        return Task.CompletedTask;
    }

    private Task NotReadyAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access)
    {
        if (request.IsNavigation)
        {
            return progress.ShowAsync(context, access);
        }

        context.Response.Headers.RetryAfter = "2";
        return pages.WriteAsync(context, EdgeMessages.NotReady(access.Workspace));
    }

    private Task StrangerAsync(HttpContext context, CanonicalRequest request)
    {
        var back = ReturnTargets.CleanWorkspacePath(request.Path + request.Query);
        var url = $"{settings.PublicOrigin}{WorkspaceHopEndpoint.Path}?host={request.Host}&return={Uri.EscapeDataString(back)}";
        if (!request.IsNavigation)
        {
            return pages.WriteAsync(context, EdgeMessages.SignInRequired(url));
        }

        // It has ended, or is none of ours: a dead cookie would be sent, and opened, with every request from now on.
        if (CookieHeader.ValuesOf(context.Request.Headers, cookies.Names.Workspace).Count > 0)
        {
            cookies.Delete(context, request);
        }

        // One hop cookie serves all tabs: it only says "the same browser".
        var hop = Hop(context);
        if (hop is null)
        {
            hop = StrictBase64Url.Encode(RandomNumberGenerator.GetBytes(16));
            cookies.Append(context, cookies.Names.Hop, hop, HopLifetime);
        }

        LoginEndpoint.Redirect(context, $"{url}&hop={WorkspaceTickets.HashOfHop(hop)}");
        return Task.CompletedTask;
    }

    private async Task TakeTicketAsync(HttpContext context, CanonicalRequest request)
    {
        // Only a navigation brings a ticket; and the ticket is only good in the browser that was sent for it.
        if (!HttpMethods.IsGet(context.Request.Method) || request.IsUpgrade
            || !QueryParameters.TrySingle(context.Request.Query, "ticket", CookieProtector.MaximumLength, out var text) || text is null
            || tickets.Redeem(request.Host, Hop(context), text) is not { } ticket || !cookies.IsLive(ticket.Session))
        {
            await pages.WriteAsync(context, new EdgeMessage
            {
                Status = 400,
                Reason = "ticket",
                Title = "Opening the workspace took too long",
                Detail = "The way in is valid once, for half a minute, in one browser that accepts cookies. Open the workspace again.",
                Actions = [new EdgeAction("Open the workspace", request.Prefix + "/")],
            });
            return;
        }

        cookies.Delete(context, cookies.Names.Hop);
        cookies.Write(context, request, ticket.Session);
        LoginEndpoint.Redirect(context, request.Prefix + ticket.ReturnPath);
    }

    private string? Hop(HttpContext context) => CookieHeader.ValuesOf(context.Request.Headers, cookies.Names.Hop)
        .FirstOrDefault(v => v.Length == 22 && StrictBase64Url.Decode(v) is not null);
}
