using System.Globalization;
using Kube.Server.Pipeline;
using Kube.Server.Storage;

namespace Kube.Server.Http;

/// <summary>GET /pods/{name}/log: checks what is asked, then passes on what the source gives.</summary>
internal sealed class LogHandler(ClusterApi api, IPodLogSource? source, CancellationToken stopping)
{
    public async Task SendAsync(ApiRequest request)
    {
        var pod = api.Store.State.Get(GroupResource.Pods, StoredObject.KeyOf(request.Namespace, request.Name))?.Value
            ?? throw Status.NotFound(GroupResource.Pods, request.Name);
        var containers = Json.Objects(Json.At(pod, "spec", "containers")).Concat(Json.Objects(Json.At(pod, "spec", "initContainers")))
            .Select(c => Json.Text(c, "name") ?? "").ToList();
        var container = request.Query("container") ?? "";
        if (container.Length == 0)
        {
            var main = Json.Objects(Json.At(pod, "spec", "containers")).Count();
            container = main == 1
                ? containers[0]
                : throw Status.BadRequest(
                $"a container name must be specified for pod {request.Name}, choose one of: [{string.Join(" ", containers)}]");
        }
        else if (!containers.Contains(container))
        {
            throw Status.BadRequest($"container {container} is not valid for pod {request.Name}");
        }
        if (source is null)
        {
            throw new ApiException(501, "NotImplemented", "this server runs no pods, so there are no logs");
        }
        var log = new PodLogRequest
        {
            Namespace = request.Namespace!,
            Pod = request.Name,
            Uid = Json.Text(pod, "metadata", "uid") ?? "",
            Container = container,
            Follow = request.Flag("follow"),
            Previous = request.Flag("previous"),
            Timestamps = request.Flag("timestamps"),
            TailLines = Positive(request, "tailLines", 0),
            LimitBytes = Positive(request, "limitBytes", 1),
            Since = Since(request),
        };
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(request.Http.RequestAborted, stopping);
        var chunks = await source.OpenAsync(log, ended.Token).ConfigureAwait(false);
        var response = request.Http.Response;
        response.StatusCode = 200;
        response.ContentType = "text/plain";
        response.Headers.CacheControl = "no-cache, private";
        try
        {
            await response.StartAsync(ended.Token).ConfigureAwait(false);
            await response.BodyWriter.FlushAsync(ended.Token).ConfigureAwait(false);
            await foreach (var chunk in chunks.WithCancellation(ended.Token).ConfigureAwait(false))
            {
                await response.BodyWriter.WriteAsync(chunk, ended.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader has gone, or the server stops.
        }
    }

    private static long? Positive(ApiRequest request, string name, long least) =>
        request.Number(name) is not { } number ? null : number >= least
        ? number
        : throw Status.Invalid("", "PodLogOptions", "",
            [Schema.FieldError.Invalid(name, number, $"must be greater than or equal to {least}")]);

    private DateTimeOffset? Since(ApiRequest request)
    {
        if (Positive(request, "sinceSeconds", 1) is { } seconds)
        {
            return request.Query("sinceTime") is null
                ? api.Time.GetUtcNow().AddSeconds(-seconds)
                : throw Status.Invalid("", "PodLogOptions", "",
                    [Schema.FieldError.Forbidden("sinceSeconds", "at most one of `sinceTime` or `sinceSeconds` may be specified")]);
        }
        if (request.Query("sinceTime") is not { Length: > 0 } text)
        {
            return null;
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw Status.BadRequest($"sinceTime must be an RFC 3339 time, got \"{text}\"");
    }
}
