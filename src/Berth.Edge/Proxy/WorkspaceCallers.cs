namespace Berth.Edge;

/// <summary>Finds out who makes a request on a workspace's host.</summary>
/// <remarks>
/// <code>
/// Authorization twice                              -> 400
/// Bearer                                           -> the edge's: a good token is the caller and goes no further, a bad one 401
/// Bearer, session, template on the list of the
///   configuration (Proxy:ApplicationBearerTemplates) -> the session is the caller, the header the application's
/// any other scheme                                 -> the application's; the session is the caller
/// </code>
/// A header never makes anybody known but by being verified here: what is left to the application was let through for its session.
/// </remarks>
internal sealed class WorkspaceCallers(
    EdgeSettings settings, SessionCookies cookies, BearerGate bearer, RequestLimits limits, IEdgePages pages, IWorkspaceDirectory directory)
{
    /// <summary>Looks at a request.</summary>
    /// <param name="context">The request; an Authorization header that has done its work is taken out of it.</param>
    /// <param name="request">Its canonical form.</param>
    /// <param name="isReserved">Whether the path is one of the edge's own, which no personal access token opens.</param>
    /// <returns>Who it is, or that the request has been answered.</returns>
    public async ValueTask<WorkspaceArrival> FindAsync(HttpContext context, CanonicalRequest request, bool isReserved)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count > 1)
        {
            await pages.WriteAsync(context, EdgeMessages.BadRequest("The Authorization header is given twice."));
            return WorkspaceArrival.Answered;
        }

        var text = header.ToString();
        var isBearer = header.Count == 1 && BearerGate.IsBearer(text);
        if (!isBearer && text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            // Neither we nor a proxy that asks could hand it on, and without it the application would be told something else.
            await pages.WriteAsync(context, EdgeMessages.BadRequest("The Authorization header has characters that cannot be passed on."));
            return WorkspaceArrival.Answered;
        }

        if (isBearer && !MayBeTheApplications(request))
        {
            return await WithTokenAsync(context, request, isReserved);
        }

        if (await cookies.ReadAsync(context, request) is { } session)
        {
            return new WorkspaceArrival(cookies.ToCaller(session), request);
        }

        if (isBearer)
        {
            return await WithTokenAsync(context, request, isReserved);
        }

        if (context.State().HasUnreadableCookie && limits.RefuseCredential(request) is { IsRefused: true } counted)
        {
            await limits.WriteAsync(context, counted);
            return WorkspaceArrival.Answered;
        }

        return new WorkspaceArrival(null, request);
    }

    private bool MayBeTheApplications(CanonicalRequest request) => settings.Proxy.ApplicationBearerTemplates.Count > 0
        && directory.TryFindByHost(request.Host, out var entry) && entry.Template is { } template
        && settings.Proxy.ApplicationBearerTemplates.Contains(template);

    private async ValueTask<WorkspaceArrival> WithTokenAsync(HttpContext context, CanonicalRequest request, bool isReserved)
    {
        if (await bearer.AuthenticateAsync(context, request) is not { } caller)
        {
            return WorkspaceArrival.Answered;
        }

        var scope = isReserved ? null : TokenScopes.Workspace;
        if (TokenScopes.Refusal(caller, scope) is { } refusal)
        {
            await TokenScopeMiddleware.WriteAsync(context, pages, scope, refusal);
            return WorkspaceArrival.Answered;
        }

        // The workspace, which may be somebody else's, must not have it. And a program that accepts any answer is no person at a page, who
        // would be sent to sign in, or wake the workspace.
        context.Request.Headers.Remove("Authorization");
        request = request with { IsNavigation = false };
        context.State().Canonical = request;
        return new WorkspaceArrival(caller, request);
    }
}

/// <summary>A request whose caller was looked for.</summary>
/// <param name="Caller">Who makes it; null for a stranger.</param>
/// <param name="Request">The request as it goes on; null when it has been answered.</param>
internal readonly record struct WorkspaceArrival(Caller? Caller, CanonicalRequest? Request)
{
    /// <summary>Nothing is left to do.</summary>
    public static WorkspaceArrival Answered => default;
}
