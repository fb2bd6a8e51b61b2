using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kube.Server.Discovery;
using Kube.Server.Kinds;
using Kube.Server.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Http;

/// <summary>The one request delegate: authentication, routing, and every failure turned into a Status.</summary>
internal sealed partial class ApiHandler(ClusterApi api, KubeServerOptions options, string token, Pki.ServiceAccountTokens tokens,
    ILogger logger, CancellationToken stopping)
{
    private readonly byte[] _tokenHash = SHA256.HashData(Encoding.UTF8.GetBytes(token));
    private readonly DiscoveryHandler _discovery = new(api.Registry);
    private readonly OpenApiHandler _openApi = new(api.Registry);
    private readonly ReadHandler _reads = new(api);
    private readonly WriteHandler _writes = new(api, new ReadHandler(api));
    private readonly WatchHandler _watches = new(api, new ReadHandler(api), options.BookmarkInterval, stopping);
    private readonly LogHandler _logs = new(api, options.PodLogs, stopping);

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            context.Response.Headers["Audit-Id"] = Guid.NewGuid().ToString();
            await RouteAsync(context).ConfigureAwait(false);
        }
        catch (ApiException e) when (!context.Response.HasStarted)
        {
            await Answer.StatusAsync(context, e).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            var refusal = e.StatusCode == 413 ? Status.TooLarge(Body.Limit) : new ApiException(e.StatusCode, "BadRequest", e.Message);
            await Answer.StatusAsync(context, refusal).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailed(logger, e, context.Request.Method, context.Request.Path);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }
            await Answer.StatusAsync(context,
                new ApiException(500, "InternalError", "Internal error occurred: " + e.Message, [])).ConfigureAwait(false);
        }
    }

    private async Task RouteAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        if (path is "/healthz" or "/livez" or "/readyz")
        {
            await HealthAsync(context, path).ConfigureAwait(false);
            return;
        }
        if (!IsAuthenticated(context.Request))
        {
            throw Status.Unauthorized();
        }
        if (path.Length > 1 && path.EndsWith('/'))
        {
            path = path[..^1];
        }
        if (path is "/version")
        {
            await Answer.JsonAsync(context, 200, VersionInfo.Body).ConfigureAwait(false);
            return;
        }
        if (HttpMethods.IsGet(context.Request.Method))
        {
            if (path == "/")
            {
                await Answer.JsonAsync(context, 200,
                    new JsonObject
                    {
                        ["paths"] = Json.Strings(
                        ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"])
                    }).ConfigureAwait(false);
                return;
            }
            if (await _openApi.TryHandleAsync(context, path).ConfigureAwait(false)
                || await _discovery.TryHandleAsync(context, path).ConfigureAwait(false))
            {
                return;
            }
        }
        if (ApiPath.Parse(path) is not { Resource.Length: > 0 } parsed
            || api.Registry.Table.Find(parsed.Group, parsed.Version, parsed.Resource) is not { } kind || kind.Plural == "scales")
        {
            throw Status.PathNotFound();
        }
        if (parsed.Namespace is not null && !kind.Namespaced)
        {
            throw Status.PathNotFound();
        }
        await ResourceAsync(new ApiRequest(context, parsed, kind)).ConfigureAwait(false);
    }

    private Task ResourceAsync(ApiRequest request)
    {
        var method = request.Http.Request.Method;
        var kind = request.Kind;
        if (kind.IsReview)
        {
            return HttpMethods.IsPost(method) && request.Name.Length == 0
                ? ReviewHandler.AnswerAsync(request, tokens, api)
                : throw Status.MethodNotAllowed();
        }
        if (request.Name.Length == 0)
        {
            return method switch
            {
                "GET" => request.Flag("watch") || request.Path.LegacyWatch ? _watches.WatchAsync(request) : _reads.ListAsync(request),
                "POST" => _writes.CreateAsync(request),
                "DELETE" when request.Namespace is not null || !kind.Namespaced => _writes.DeleteCollectionAsync(request),
                _ => throw Status.MethodNotAllowed(),
            };
        }
        if (kind.Namespaced && request.Namespace is null)
        {
            throw Status.PathNotFound();
        }
        switch (request.Subresource)
        {
            case "":
                return method switch
                {
                    "GET" when request.Flag("watch") || request.Path.LegacyWatch => _watches.WatchAsync(request),
                    "GET" => _reads.GetAsync(request),
                    "PUT" => _writes.UpdateAsync(request),
                    "PATCH" => _writes.PatchAsync(request),
                    "DELETE" => _writes.DeleteAsync(request),
                    _ => throw Status.MethodNotAllowed(),
                };
            case "status" when kind.HasStatus:
                return method switch
                {
                    "GET" => _reads.GetAsync(request),
                    "PUT" => _writes.UpdateAsync(request),
                    "PATCH" => _writes.PatchAsync(request),
                    _ => throw Status.MethodNotAllowed(),
                };
            case "scale" when kind.Scale is not null:
                return method switch
                {
                    "GET" => _writes.GetScaleAsync(request),
                    "PUT" => _writes.UpdateAsync(request),
                    "PATCH" => _writes.PatchAsync(request),
                    _ => throw Status.MethodNotAllowed(),
                };
            case "finalize" when kind is { Group: "", Kind: "Namespace" } && method == "PUT":
                return _writes.UpdateAsync(request);
            case "log" when kind is { Group: "", Kind: "Pod" } && method == "GET":
                return _logs.SendAsync(request);
            case "binding" when kind is { Group: "", Kind: "Pod" } && method == "POST":
                return _writes.BindAsync(request);
            case "eviction" when kind is { Group: "", Kind: "Pod" } && method == "POST":
                return _writes.EvictAsync(request);
            case "exec" or "attach" or "portforward" or "proxy" when kind.Group.Length == 0:
                throw new ApiException(501, "NotImplemented",
                    $"this server does not offer {kind.Plural}/{request.Subresource}: the pods are processes of this machine and can be "
                    + "reached there");
            default:
                throw Status.PathNotFound();
        }
    }

    private bool IsAuthenticated(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        const string Scheme = "Bearer ";
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim())), _tokenHash);
    }

    private static Task HealthAsync(HttpContext context, string path)
    {
        var excluded = context.Request.Query["exclude"].ToString();
        string[] checks = ["ping", "store"];
        var lines = checks.Where(c => c != excluded).Select(c => $"[+]{c} ok\n");
        return Answer.TextAsync(context, 200,
            context.Request.Query.ContainsKey("verbose") ? string.Concat(lines) + $"{path[1..]} check passed\n" : "ok");
    }

    [LoggerMessage(10, LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method, string path);
}
