using System.Threading.RateLimiting;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Everything below <c>/proxy/</c>: calls of APIs with tokens that the caller never sees.</summary>
/// <remarks>
/// <code>
/// preflight -> answered here
/// who calls (401, 403) -> which API (404) -> how often (429) -> template (403) -> origin (403) -> method (405), path (403)
///   -> token, call, answer: <see cref="UpstreamForwarder"/>
/// </code>
/// It is asked by the core before anything else is done with the request, since its callers are not those of the rest of the edge: a
/// workspace's own token counts here and nowhere else, and the session cookie only where a connection wants it.
/// </remarks>
internal sealed partial class UpstreamGate(
    UpstreamSettingsSet connections, UpstreamAuthenticator authenticator, UpstreamLimits limits, UpstreamForwarder forwarder,
    UpstreamMetrics metrics, AuditTrail audit, EdgeSettings edge, ILogger<UpstreamGate> logger)
{
    private const string Operation = "proxy";

    // Refusals that an administrator may want to know of; all of them come after the rate limit, so that nobody floods the log.
    private static readonly string[] Audited =
    [
        "workspace-not-allowed", "origin-not-allowed", "upgrade-not-allowed", "method-not-allowed", "bad-path", "path-not-allowed",
        "redirect-refused", "token-rejected", "reconsent-required",
    ];

    /// <summary>Answers the request.</summary>
    public async Task HandleAsync(HttpContext context, CanonicalRequest request)
    {
        var (name, path) = UpstreamPaths.Split(request.Path);
        var settings = connections.Find(name);
        if (CorsPolicy.IsPreflight(context))
        {
            if (UpstreamCors.Preflight(context, settings) is { } closed)
            {
                await closed.WriteAsync(context, Operation, connection: null);
            }

            metrics.Called(settings?.Connection, "preflight");
            return;
        }

        try
        {
            var error = await AuthenticatedAsync(context, request, settings, path);
            if (error is null)
            {
                metrics.Called(settings?.Connection, $"{context.Response.StatusCode / 100}xx");
            }
            else
            {
                metrics.Called(settings?.Connection, error.Code);
                await error.WriteAsync(context, Operation, settings?.Connection);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away; nobody reads an answer.
            metrics.Called(settings?.Connection, "aborted");
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            LogFailed(context.TraceIdentifier, error);
            metrics.Called(settings?.Connection, "internal");
            context.Response.Clear();
            await UpstreamErrors.Internal.WriteAsync(context, Operation, settings?.Connection);
        }
    }

    private static ConnectionError? Target(HttpContext context, UpstreamSettings settings, CanonicalRequest request, string path)
    {
        var method = context.Request.Method;
        if (request.IsUpgrade)
        {
            return UpstreamErrors.UpgradeNotAllowed;
        }

        if (!settings.Methods.Contains(method))
        {
            context.Response.Headers.Allow = string.Join(", ", settings.Methods);
            return UpstreamErrors.MethodNotAllowed;
        }

        if (!UpstreamPaths.IsUnambiguous(path))
        {
            return UpstreamErrors.BadPath;
        }

        var matching = settings.Paths.Where(p => p.Matches(path)).ToList();
        if (matching.Count == 0)
        {
            return UpstreamErrors.PathNotAllowed;
        }

        if (matching.Exists(p => p.Methods.IsEmpty || p.Methods.Contains(method)))
        {
            return null;
        }

        context.Response.Headers.Allow = string.Join(", ", matching.SelectMany(p => p.Methods).Distinct().Order(StringComparer.Ordinal));
        return UpstreamErrors.MethodNotAllowed;
    }

    private async Task<ConnectionError?> AuthenticatedAsync(
        HttpContext context, CanonicalRequest request, UpstreamSettings? settings, string path)
    {
        var (caller, error) = await authenticator.AuthenticateAsync(context, request, settings);
        if (caller is null)
        {
            return error;
        }

        context.State().Caller = caller;
        if (TokenScopes.Refusal(caller, TokenScopes.Proxy) is { } refusal)
        {
            return UpstreamErrors.InsufficientScope(refusal);
        }

        if (settings is null)
        {
            return UpstreamErrors.ConnectionNotFound;
        }

        using var lease = limits.Enter(settings, new PersonKey(caller.Issuer, caller.Subject));
        if (!lease.IsAcquired)
        {
            return UpstreamErrors.TooManyRequests(lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : null);
        }

        error = await CallAsync(context, request, settings, caller, path);
        if (error is not null && Audited.Contains(error.Code))
        {
            audit.Record(caller, "proxy.call", $"connections/{settings.Connection} {error.Code}", "refused");
        }

        return error;
    }

    private async Task<ConnectionError?> CallAsync(
        HttpContext context, CanonicalRequest request, UpstreamSettings settings, Caller caller, string path)
    {
        if (!authenticator.IsOpenTo(caller, settings.Connection))
        {
            return UpstreamErrors.WorkspaceNotAllowed;
        }

        if (!settings.Cors.TryReadOrigin(context, edge.PublicOrigin, out var origin))
        {
            return UpstreamErrors.OriginNotAllowed;
        }

        // When the answer begins: a second try clears what was set before it.
        context.Response.OnStarting(() =>
        {
            settings.Cors.Allow(context.Response.Headers, origin);
            return Task.CompletedTask;
        });
        return Target(context, settings, request, path)
            ?? await forwarder.CallAsync(context, new UpstreamCall(settings, caller, request, path));
    }

    [LoggerMessage(5601, LogLevel.Error, "A call of the API proxy failed (request {RequestId}).")]
    private partial void LogFailed(string requestId, Exception error);
}
