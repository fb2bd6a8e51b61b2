using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>The first thing every request of the public listener meets.</summary>
/// <remarks>
/// <code>
/// headers too large (431) -> a proxy's question: ForwardAuthEndpoint
/// canonical request (400) -> the address's limits (429) -> protected headers stripped -> host: unknown 421
///                                                               | workspace: the gate, which answers
///                                                               | shared host, outside of folders: redirect or 404
///                                                               | edge, /proxy/: the API proxy, which answers
///                                                               | edge: authentication -> the person's limit -> same-origin -> next
/// </code>
/// </remarks>
internal sealed class EdgeCoreMiddleware(
    RequestDelegate next,
    EdgeSettings settings,
    CanonicalRequestParser parser,
    SessionCookies cookies,
    BearerGate bearer,
    WorkspaceGate gate,
    ForwardAuthEndpoint forwardAuth,
    WorkspaceIdentitySigner signer,
    IEdgePages pages,
    RequestLimits limits,
    ApiCors cors,
    UpstreamGate? upstreams = null)
{
    /// <summary>Handles a request.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        if (RequestSizes.HasTooManyHeaders(context.Request.Headers))
        {
            return pages.WriteAsync(context, EdgeMessages.HeadersTooLarge());
        }

        if (parser.IsForwardAuth(context))
        {
            return forwardAuth.HandleAsync(context);
        }

        if (MethodRefusal(context) is { } status)
        {
            return pages.WriteAsync(context, EdgeMessages.BadRequest("This method is not served.") with { Status = status });
        }

        var (request, refusal) = parser.Parse(context);
        if (request is null)
        {
            // Whatever else is in this connection was sent by somebody who reads requests differently.
            context.Response.Headers.Connection = "close";
            var unreadable = limits.ArriveUnreadable(context);
            return unreadable.IsRefused
                ? limits.WriteAsync(context, unreadable) : pages.WriteAsync(context, EdgeMessages.BadRequest(refusal!));
        }

        ProtectedHeaders.Strip(context.Request.Headers);
        context.State().Canonical = request;
        var arrival = limits.Arrive(request);
        if (arrival.IsRefused)
        {
            return limits.WriteAsync(context, arrival);
        }

        context.Request.Scheme = settings.Scheme;
        context.Request.Host = new HostString(
            request.HostKind == HostKind.Workspace ? settings.WorkspaceAuthority(request.Host) : request.Host + settings.PortSuffix);
        return request.HostKind switch
        {
            HostKind.Workspace => gate.HandleAsync(context, request),
            HostKind.SharedWorkspaces => SharedHost.AnswerAsync(context, request, settings, pages),
            HostKind.Edge => OwnOriginAsync(context, request),

            // Workspaces fetch the keys under the name of the Service, as nothing in a cluster can be expected to reach the public origin.
            HostKind.Unknown when request.Path == WorkspaceIdentitySigner.JwksPath && RequestKinds.IsSafe(context.Request.Method) =>
                signer.WriteJwksAsync(context),

            // The same: programs in workspaces call APIs under the name of the Service, with a token that is good for nothing else.
            HostKind.Unknown when upstreams is not null && UpstreamPaths.IsProxy(request.Path) => upstreams.HandleAsync(context, request),
            _ => pages.WriteAsync(context, EdgeMessages.UnknownHost(settings)),
        };
    }

    private static int? MethodRefusal(HttpContext context)
    {
        if (HttpMethods.IsConnect(context.Request.Method)
            && context.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true, Protocol: "websocket" })
        {
            return StatusCodes.Status501NotImplemented;
        }

        // TRACE reads back headers that a page must not see.
        return HttpMethods.IsTrace(context.Request.Method) ? StatusCodes.Status405MethodNotAllowed : null;
    }

    private async Task OwnOriginAsync(HttpContext context, CanonicalRequest request)
    {
        context.Response.OnStarting(() => FinishHeaders(context));
        if (upstreams is not null && UpstreamPaths.IsProxy(request.Path))
        {
            await upstreams.HandleAsync(context, request);
            return;
        }

        if (await cors.AnswersAsync(context, request))
        {
            return;
        }

        var authorization = context.Request.Headers.Authorization;
        if (authorization.Count > 1)
        {
            await pages.WriteAsync(context, EdgeMessages.BadRequest("The Authorization header is given twice."));
            return;
        }

        if (authorization.Count == 1)
        {
            // A token that is shown has to be good, whatever the route and whatever cookie comes with it.
            if (await bearer.AuthenticateAsync(context, request) is not { } caller)
            {
                return;
            }

            context.State().Caller = caller;
        }
        else
        {
            // A page of somebody else's workspace is the same site and brings the cookie along: what it pulls into itself is a stranger's.
            if (SameOrigin.IsReadAllowed(context.Request.Headers) && cors.IsCookieOurs(context, request)
                && await cookies.ReadAsync(context, request) is { } session)
            {
                context.State().Session = session;
                context.State().Caller = cookies.ToCaller(session);
            }

            if (RulePages.AnswersFor(context, request) is { } refused)
            {
                await pages.WriteAsync(context, RulePages.Refused(settings, refused));
                return;
            }

            if (context.State().HasUnreadableCookie && limits.RefuseCredential(request) is { IsRefused: true } counted)
            {
                await limits.WriteAsync(context, counted);
                return;
            }

            // A provider's server is no page of ours and brings no cookie: its own signature is the proof.
            var changes = (request.IsUpgrade || !RequestKinds.IsSafe(context.Request.Method))
                && request.Path != ProviderLogoutEndpoint.BackChannelPath;
            if (changes && !SameOrigin.IsProven(context.Request.Headers, settings.PublicOrigin))
            {
                await pages.WriteAsync(context, EdgeMessages.CrossSite());
                return;
            }
        }

        if (context.GetCaller() is { } known && limits.Admit(request, known) is { IsRefused: true } tooMany)
        {
            await limits.WriteAsync(context, tooMany);
            return;
        }

        if (request.Path == ProviderLogoutEndpoint.BackChannelPath)
        {
            await ProviderLogoutAsync(context, request);
            return;
        }

        await RequestSizes.RunAsync(context, pages, () => next(context));
    }

    // A good logout token is always heard: what is not heard leaves a session open.
    private async Task ProviderLogoutAsync(HttpContext context, CanonicalRequest request)
    {
        var trial = limits.MayTryCredential(request);
        if (trial.IsRefused)
        {
            await limits.WriteAsync(context, trial);
            return;
        }

        await RequestSizes.RunAsync(context, pages, () => next(context));
        if (context.Response.StatusCode == StatusCodes.Status400BadRequest)
        {
            limits.RefuseCredential(request);
        }
    }

    // Own pages only; what a workspace answers keeps its headers.
    private Task FinishHeaders(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        if (context.State().FrameAncestor is { } ancestor)
        {
            headers.ContentSecurityPolicy = $"default-src 'none'; frame-ancestors {ancestor.Origin}";
        }
        else
        {
            headers.XFrameOptions = "DENY";
        }

        headers.TryAdd("Referrer-Policy", "same-origin");
        headers.TryAdd("Cross-Origin-Opener-Policy", "same-origin");
        headers.TryAdd("Cross-Origin-Resource-Policy", "same-origin");
        if (settings.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }

        // A cache between here and people must not answer one with what was said to another, nor with what a stranger got.
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = "no-store";
        }

        return Task.CompletedTask;
    }
}
