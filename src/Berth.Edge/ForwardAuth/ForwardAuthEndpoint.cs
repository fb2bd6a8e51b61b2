using System.Net;

namespace Berth.Edge;

/// <summary>
/// GET /auth/forward/WORKSPACE: a proxy that leads to workspaces itself (Traefik's ForwardAuth) asks about one request. The same parser,
/// gate and authoriser decide as where the edge forwards; only a trusted proxy is answered. What it is asked about comes from
/// X-Forwarded-Method, -Proto, -Host and -Uri alone, and the host must be that of the workspace in the address: the proxy's route is made
/// for one workspace, and no header can make it ask about another.
/// </summary>
/// <remarks>
/// <code>
/// 200  pass: X-Workspace-Identity, Cookie (the request's cookies less ours; absent = the proxy removes the header)
/// 302  a person who has to sign in, absolute
/// 400  cannot be read in one way only
/// 401  a script or an upgrade that has to sign in
/// 403  known, not allowed; or the proxy is not trusted
/// 404  no such workspace, or a path of ours
/// 429  too many requests of the client it is about, or to the workspace
/// 503  not ready: the progress page, never 2xx
/// </code>
/// Nothing but <see cref="WorkspaceGate.AnswerProxyAsync"/> can make a 2xx: whatever else was to be written with one goes out as 503.
/// </remarks>
internal sealed partial class ForwardAuthEndpoint(
    EdgeSettings settings, CanonicalRequestParser parser, WorkspaceGate gate, IEdgePages pages, RequestLimits limits,
        TimeProvider clock, ILogger<ForwardAuthEndpoint> logger)
{
    /// <summary>
    /// Its path, a slash and the workspace's name below it, on any host that is neither the public origin nor a workspace's.
    /// </summary>
    public const string Path = "/auth/forward";

    // Anybody who reaches the listener can cause this warning; one a minute says what is wrong as well as a thousand.
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);
    private long _warnedAt = long.MinValue;

    /// <summary>Answers the request; the parser said that it is one for this address.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var verdict = new ForwardAuthVerdict();
        context.State().Verdict = verdict;
        context.Response.OnStarting(() => Guard(context, verdict));
        if (!parser.IsFromTrustedProxy(context, out var peer))
        {
            Warn(peer);
            await pages.WriteAsync(context, EdgeMessages.ProxyNotTrusted());
            return;
        }

        var (request, refusal) = parser.ParseForwardAuth(context);
        if (request is null)
        {
            await pages.WriteAsync(context, EdgeMessages.BadRequest(refusal!));
            return;
        }

        ProtectedHeaders.Strip(context.Request.Headers);
        context.State().Canonical = request;

        // Counted for the client it is about: the proxy itself may ask as often as it likes.
        var arrival = limits.Arrive(request);
        if (arrival.IsRefused)
        {
            await limits.WriteAsync(context, arrival);
            return;
        }

        if (request.HostKind != HostKind.Workspace)
        {
            await pages.WriteAsync(context, EdgeMessages.UnknownHost(settings));
            return;
        }

        await gate.AnswerProxyAsync(context, request);
    }

    private static Task Guard(HttpContext context, ForwardAuthVerdict verdict)
    {
        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        if (response.StatusCode is >= 200 and < 300 && !verdict.Passes)
        {
            // The progress page: a person reads it, the proxy must not take it for a yes.
            response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            response.Headers.RetryAfter = "2";
        }
        else if (response.StatusCode == StatusCodes.Status303SeeOther)
        {
            response.StatusCode = StatusCodes.Status302Found;
        }

        return Task.CompletedTask;
    }

    private void Warn(IPAddress peer)
    {
        var now = clock.GetTimestamp();
        var last = Interlocked.Read(ref _warnedAt);
        if ((last == long.MinValue || clock.GetElapsedTime(last, now) >= WarningInterval)
            && Interlocked.CompareExchange(ref _warnedAt, now, last) == last)
        {
            LogNotTrusted(peer, Path);
        }
    }

    [LoggerMessage(4300, LogLevel.Warning,
        "{Peer} asked {Path} and was refused: it is in none of the networks of Berth:Edge:TrustedProxies. If it is your ingress proxy, "
            + "name its network there.")]
    private partial void LogNotTrusted(IPAddress peer, string path);
}

/// <summary>Whether the request that a proxy asks about passes. Set in one place.</summary>
internal sealed class ForwardAuthVerdict
{
    /// <summary>True once the authoriser has let it through to a workspace that is ready.</summary>
    public bool Passes { get; set; }
}
