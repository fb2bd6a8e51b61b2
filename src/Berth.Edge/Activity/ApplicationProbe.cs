using System.Net;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>Asks an application when it was last used, at the address to which its requests are forwarded.</summary>
/// <remarks>
/// Whatever it answers harms nobody: five seconds, 64 KiB, no redirect is followed, a time in the future is now. An answer that cannot be
/// used is none, and the operator then does not stop the workspace.
/// </remarks>
internal sealed partial class ApplicationProbe(
    ForwardingClient http, WorkspaceTable table, WorkspaceUrls urls, EdgeMetrics metrics, TimeProvider clock,
    ILogger<ApplicationProbe> logger)
{
    /// <summary>Most bytes of an answer that are read.</summary>
    public const int MaximumBody = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks; null when it cannot be asked or its answer is of no use.</summary>
    public async Task<ProbeResult?> AskAsync(UserWorkspace workspace, ActivityProbe probe, CancellationToken cancellationToken)
    {
        var name = workspace.Metadata.Name!;
        if (!table.TryFindByHost(urls.Host(name), out var entry) || entry.Target is not { } target)
        {
            return null;
        }

        var askedAt = clock.GetUtcNow();
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var answer = await GetAsync(target, entry, probe, either.Token).ConfigureAwait(false);
            if (ProbeAnswer.TryRead(answer, probe.Field, askedAt, out var lastUse, out var problem))
            {
                metrics.Probed(lastUse is null ? "idle" : "used");
                return new ProbeResult(askedAt, lastUse);
            }

            LogUnusable(name, probe.Path, probe.Field, problem!);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or UriFormatException or ProbeException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogUnusable(name, probe.Path, probe.Field, error is OperationCanceledException ? "no answer within 5 s" : error.Message);
        }

        metrics.Probed("failed");
        return null;
    }

    private async Task<ReadOnlyMemory<byte>> GetAsync(
        WorkspaceTarget target, WorkspaceEntry entry, ActivityProbe probe, CancellationToken cancellationToken)
    {
        // The path is the template's. It stands behind the authority and a slash, so it cannot lead elsewhere.
        var path = probe.Path.StartsWith('/') ? probe.Path[1..] : probe.Path;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(WorkspaceForwarder.Prefix(target) + path))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        // Applications compare Host with what browsers send.
        request.Headers.Host = new Uri(entry.Url).Authority;
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        using var response = await http.Invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new ProbeException($"it answered {(int)response.StatusCode}");
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[MaximumBody + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return length <= MaximumBody
            ? buffer.AsMemory(0, length) : throw new ProbeException($"its answer is longer than {MaximumBody / 1024} KiB");
    }

    [LoggerMessage(5603, LogLevel.Warning,
        "The application of workspace {Name} does not say when it was used ({Path}, {Field}), so it is not stopped for lack of use: "
            + "{Reason}. Mend the template's activity.probe, or the application.")]
    private partial void LogUnusable(string name, string path, string field, string reason);

    private sealed class ProbeException(string message) : Exception(message);
}
