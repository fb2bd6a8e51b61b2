using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>
/// The outermost of every request of the public listener: names it, times it, and when it has ended notes what became of it for metrics,
/// traces, <c>why</c> and the audit log.
/// </summary>
internal sealed class RequestMetrics(
    RequestDelegate next, EdgeMetrics metrics, RequestIds ids, RequestHistory history, RefusalLedger ledger, ForwardFailures failures,
    CanonicalRequestParser parser, CurrentRequest current, TimeProvider clock)
{
    /// <summary>Everything that <see cref="RouteOf"/> answers.</summary>
    public static readonly string[] Routes =
        ["workspace", "workspace-pages", "forward-auth", "api", "proxy", "sign-in", "assets", "pages", "unknown-host", "refused"];

    /// <summary>Passes the request on and notes how it ended.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var (start, at) = (clock.GetTimestamp(), clock.GetUtcNow());
        var state = context.State();
        context.TraceIdentifier = ids.Next();
        context.Response.OnStarting(
            static of =>
            {
                // Last of all, so that a workspace's own does not stand in its place.
                var answered = (HttpContext)of;
                answered.Response.Headers[RequestIds.Header] = answered.TraceIdentifier;
                return Task.CompletedTask;
            },
            context);
        using var served = current.Begin(context);
        metrics.Bytes.CountRequest(context);
        var span = EdgeTraces.Begin(context, parser.IsFromTrustedProxy(context, out _));
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            await next(context).ConfigureAwait(false);
            status = context.Response.StatusCode;
        }
        catch when (context.Response.HasStarted)
        {
            // A stream that was cut; otherwise a failure that the server answers with 500.
            status = context.Response.StatusCode;
            throw;
        }
        finally
        {
            var record = RecordOf(context, state, status, at, clock.GetElapsedTime(start));
            Note(context, state, record);
            EdgeTraces.End(span, record);
        }
    }

    /// <summary>The way a request took, one of <see cref="Routes"/>.</summary>
    internal static string RouteOf(RequestState state)
    {
        if (state.Verdict is not null)
        {
            return "forward-auth";
        }

        return state.Canonical switch
        {
            null => "refused",
            { HostKind: HostKind.Unknown } => "unknown-host",
            { HostKind: HostKind.Workspace } => state.Access is null ? "workspace-pages" : "workspace",
            { HostKind: HostKind.SharedWorkspaces } => "workspace-pages",
            { Path: var path } => OwnRoute(path),
        };
    }

    private static string OwnRoute(string path) =>
        path.StartsWith("/api/", StringComparison.Ordinal) || path == "/openapi/v1.json" ? "api"
        : path.StartsWith("/auth/", StringComparison.Ordinal) || path is "/login" or "/logout" ? "sign-in"
        : UpstreamPaths.IsProxy(path) ? "proxy"
        : path.StartsWith("/assets/", StringComparison.Ordinal) ? "assets"
        : "pages";

    private static bool IsStream(HttpContext context, RequestState state) =>
        context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || state.Canonical?.IsUpgrade == true
        || context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;

    private static RequestRecord RecordOf(HttpContext context, RequestState state, int status, DateTimeOffset at, TimeSpan duration)
    {
        var (request, access) = (state.Canonical, state.Access);
        return new RequestRecord
        {
            Id = context.TraceIdentifier,
            At = at,
            Duration = duration,
            Method = MethodOf(context.Request.Method),
            Host = request?.Host,
            HostKind = request?.HostKind,
            Path = request is { Path.Length: > RequestRecord.MaximumText } ? request.Path[..RequestRecord.MaximumText] + "…"
                : request?.Path,
            Route = RouteOf(state),
            Status = status,
            Notes = state.Notes,
            Caller = state.Caller,
            Access = access,
            Forwarding = access is null ? null : context.Features.Get<IForwarderErrorFeature>()?.Error ?? ForwarderError.None,
        };
    }

    // Made-up methods are anybody's text.
    private static string MethodOf(string method) =>
        HttpMethods.IsGet(method) || (method.Length <= 16 && method.All(char.IsAsciiLetterUpper)) ? method : "other";

    private void Note(HttpContext context, RequestState state, RequestRecord record)
    {
        var isStream = IsStream(context, state);
        metrics.Answered(record.Route, record.Status, isStream ? null : record.Duration);
        metrics.Bytes.Ended(context, record.Route);
        if (state.Verdict is { } verdict)
        {
            metrics.ForwardAuthDecided(verdict.Passes ? "pass" : DecisionOf(record.Status));
        }

        history.Add(record);
        failures.Note(context, record);
        if (record.Notes is { } notes)
        {
            Audit(record, notes);
        }
    }

    private static string DecisionOf(int status) => status switch
    {
        < 400 or 401 => "sign-in",
        403 => "forbidden",
        404 => "not-found",
        429 => "limited",
        503 => "not-ready",
        _ => "unreadable",
    };

    private void Audit(RequestRecord record, RequestNotes notes)
    {
        if (notes.Token is { } token)
        {
            metrics.CredentialRefused(token.IsPersonal ? "personal-token" : "bearer", token.Error);
            ledger.Note(null, token.IsPersonal ? "personal-token.use" : "bearer.use", $"{token.Error} {token.Issuer}".TrimEnd());
        }
        else if (notes.Refused is { } refused)
        {
            ledger.Note(refused, "workspace.open", $"{record.Host?.Split('.')[0]} {notes.Rule}");
        }
        else if (notes.Rule is "step-up-required" or "insufficient-scope")
        {
            ledger.Note(record.Caller, "request", $"{record.Route} {notes.Rule}");
        }
    }
}
