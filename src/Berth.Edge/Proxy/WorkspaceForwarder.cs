using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>Forwards a request that has been let through.</summary>
/// <remarks>
/// <code>
/// entered in the table of open connections -> YARP -> answered: done
/// circuit open: as not connected                            |-- not connected, idempotent, budget: once more, to where it is now
///                                                           |-- not connected, navigation: the progress page
///                                                           '-- else 502 / 504 in the form the client can read
/// </code>
/// </remarks>
internal sealed class WorkspaceForwarder(
    EdgeSettings settings,
    IHttpForwarder forwarder,
    ForwardingClient client,
    WorkspaceTransformer transformer,
    OpenConnections connections,
    IWorkspaceDirectory directory,
    IProgressPage progress,
    IEdgePages pages,
    IActivityMeter activity,
    Circuits circuits,
    RetryBudget retries,
    BodyBytes bytes,
    TimeProvider clock)
{
    private readonly RouteTable _routes = new(settings.Proxy);
    private readonly ConcurrentDictionary<TimeSpan, ForwarderRequestConfig> _configs = new();

    /// <summary>Forwards; the workspace of the access has a target.</summary>
    /// <param name="context">The request.</param>
    /// <param name="request">Its canonical form.</param>
    /// <param name="access">What was decided.</param>
    /// <param name="until">When it ends in any case.</param>
    /// <param name="admission">Its places, which are given back when it has ended.</param>
    public async Task ForwardAsync(
        HttpContext context, CanonicalRequest request, WorkspaceAccess access, DateTimeOffset until, Admission admission)
    {
        using var places = admission;
        var state = context.State();
        state.Access = access;
        Prepare(context, request, state);
        var use = activity.Begin(access.Workspace, request.Path);
        // A download or a script's stream lasts as long as it likes, too: nobody can tell beforehand.
        var isStream = request.IsUpgrade
            || context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        var asked = new AccessRequest(context.Request.Method, request.IsUpgrade);
        using var open = connections.Add(access.Caller, until, access, asked, isStream);
        if (request.IsUpgrade)
        {
            MeteredUpgrade.Install(context, stream =>
            {
                var socket = new ClientSocket(stream, use, open.Session, settings.Proxy.PingInterval, clock, bytes.Of("workspace"));
                open.Farewell = socket.EndAsync;
                return socket;
            });
        }

        var times = _routes.Find(access.Workspace.Template, request.Path);
        var config = _configs.GetOrAdd(isStream ? times.Stream : times.Plain, Config);
        var target = access.Workspace.Target!.Value;
        if (!circuits.TryPass(target))
        {
            await UnreachableAsync(context, request, access);
            return;
        }

        retries.Earn();
        using var limit = new ResponseHeaderLimit(times.ResponseHeader, clock, open.End);
        state.AnswerLimit = limit;
        if (request.IsUpgrade || !state.CanHaveBody)
        {
            limit.RequestRead();
        }
        else
        {
            context.Request.Body = new EndNotingStream(context.Request.Body, limit.RequestRead, use);
        }

        var error = await forwarder.SendAsync(context, Prefix(target), client.Invoker, config, transformer, open.Token);
        if (!HasEnded(context, error))
        {
            await RepeatAsync(context, request, access, asked, config, error, limit, open);
        }
    }

    private static bool HasEnded(HttpContext context, ForwarderError error) =>
        error == ForwarderError.None || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested;

    // Where it is now, if what is there now is what was decided about; else what went wrong is told.
    private async Task RepeatAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access, AccessRequest asked,
        ForwarderRequestConfig config, ForwarderError error, ResponseHeaderLimit limit, OpenConnections.OpenConnection open)
    {
        var target = access.Workspace.Target!.Value;
        if (IsConnectFailure(context) && IsRepeatable(context) && directory.TryFindByHost(request.Host, out var now)
            && access.StillHolds(now, asked, clock.GetUtcNow()) && circuits.TryPass(now.Target ?? target) && retries.TrySpend())
        {
            context.Response.Clear();
            context.Features.Set<IForwarderErrorFeature>(null);
            error = await forwarder.SendAsync(context, Prefix(now.Target ?? target), client.Invoker, config, transformer, open.Token);
            if (HasEnded(context, error))
            {
                return;
            }
        }

        await ReportAsync(context, request, access, limit.HasRunOut ? ForwarderError.RequestTimedOut : error, open.Ended);
    }

    private static ForwarderRequestConfig Config(TimeSpan activity) => new()
    {
        ActivityTimeout = activity,
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>Where a workspace's process is reached, with a slash at the end.</summary>
    internal static string Prefix(WorkspaceTarget target) =>
        target.Host.Contains(':') ? $"http://[{target.Host.Trim('[', ']')}]:{target.Port}/" : $"http://{target.Host}:{target.Port}/";

    private static void Prepare(HttpContext context, CanonicalRequest request, RequestState state)
    {
        if (!request.IsUpgrade)
        {
            // h2c and others: a protocol that is switched to behind our back is one in which we decide nothing.
            context.Request.Headers.Remove("Upgrade");
            context.Request.Headers.Remove("HTTP2-Settings");
        }

        // How large a file may be uploaded is for the workspace to say.
        if ((request.IsUpgrade || state.CanHaveBody)
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
    }

    private static bool IsConnectFailure(HttpContext context) => context.Features.Get<IForwarderErrorFeature>() is
    {
        Exception: HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError },
    };

    private static bool IsRepeatable(HttpContext context) =>
        RequestKinds.IsSafe(context.Request.Method) && !context.State().CanHaveBody;

    private async Task ReportAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access, ForwarderError error,
        EndReason? ended)
    {
        var connect = IsConnectFailure(context);
        var status = context.Response.StatusCode;
        context.Response.Clear();
        if (ended is EndReason.GoingAway or EndReason.WorkspaceStopped)
        {
            await UnreachableAsync(context, request, access);
        }
        else if (ended is not null)
        {
            await pages.WriteAsync(context, EdgeMessages.SignInRequired(settings.PublicOrigin + "/login"));
        }
        else if (connect)
        {
            await UnreachableAsync(context, request, access);
        }
        else if (error == ForwarderError.ResponseHeaders && request.IsUpgrade)
        {
            await pages.WriteAsync(context, EdgeMessages.Upstream(502, "not-a-websocket",
                "The workspace's process answered the WebSocket's handshake with something else. Its log may say why."));
        }
        else if (error == ForwarderError.RequestTimedOut || status == StatusCodes.Status504GatewayTimeout)
        {
            await pages.WriteAsync(context, EdgeMessages.Upstream(504, "workspace-timeout", "The workspace's process took too long, and "
                + "the request was given up. What it had begun may still be done; look before you repeat it."));
        }
        else if (status is >= 400 and < 500)
        {
            // The client's own fault: a broken body, a malformed handshake.
            await pages.WriteAsync(context,
                EdgeMessages.BadRequest("The request could not be forwarded as it was sent.") with { Status = status });
        }
        else
        {
            await BadGatewayAsync(context);
        }
    }

    private Task UnreachableAsync(HttpContext context, CanonicalRequest request, WorkspaceAccess access) =>
        request.IsNavigation ? progress.ShowAsync(context, access) : BadGatewayAsync(context);

    private Task BadGatewayAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "2";
        return pages.WriteAsync(context, EdgeMessages.Upstream(
            502, "workspace-unreachable", "The workspace's process does not answer. It may be restarting: saved files are kept, "
                + "what was not saved may be lost. Try again in a moment."));
    }
}
