using System.Text.Json.Nodes;
using Kube.Server.Runner.Logs;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner;

/// <summary>Finds the log that a request for <c>/log</c> means, by the rules of a kubelet.</summary>
internal static class PodLogs
{
    /// <summary>
    /// Which run: previous is the one in lastState; otherwise the running one, else the ended one, else (waiting for a restart) the one
    /// in lastState.
    /// </summary>
    /// <exception cref="ApiException">400: there is none.</exception>
    public static IAsyncEnumerable<ReadOnlyMemory<byte>> Open(
        RunnerContext context, PodWorker? worker, PodLogRequest request, CancellationToken cancellationToken)
    {
        var live = request.Previous ? null : worker?.LiveLog(request.Container);
        var path = live?.Path ?? Path.Combine(context.LogFolder(request.Uid, request.Container), Id(context, request) + ".log");
        if (!File.Exists(path))
        {
            throw Refused($"the log of container \"{request.Container}\" in pod \"{request.Pod}\" is not there any more");
        }

        return ContainerLogReader.ReadAsync(path, live, request, cancellationToken);
    }

    private static string Id(RunnerContext context, PodLogRequest request)
    {
        var status = context.Api.Get(GroupResource.Pods, request.Namespace, request.Pod).Object("status");
        var entry = status.Objects("initContainerStatuses").Concat(status.Objects("containerStatuses")).FirstOrDefault(c =>
            c.Text("name") == request.Container);
        var last = entry.Object("lastState").Object("terminated");
        var current = entry.Object("state");
        if (request.Previous)
        {
            return Bare(last) ?? throw Refused($"previous terminated container \"{request.Container}\" in pod \"{request.Pod}\" not found");
        }

        return Bare(current.Object("running") is null ? null : entry) ?? Bare(current.Object("terminated")) ?? Bare(last)
            ?? throw Refused($"container \"{request.Container}\" in pod \"{request.Pod}\" is waiting to start: "
                + (current.Object("waiting") is { } waiting ? waiting.Text("message") ?? waiting.Text("reason") : "ContainerCreating"));
    }

    private static string? Bare(JsonObject? holder) => holder.Text("containerID") is { } id
        && id.StartsWith(PodStatus.IdPrefix, StringComparison.Ordinal)
        && Guid.TryParse(id[PodStatus.IdPrefix.Length..], out var guid) ? guid.ToString("D") : null;

    private static ApiException Refused(string message) => new(400, "BadRequest", message);
}
