using System.Collections.Concurrent;
using System.Text.Json;
using Berth.Resources;
using Kube.Client;

namespace Berth.Edge;

/// <summary>Brings what this replica knows of use into <c>status.activity</c>. Writes only ever move the last use forward.</summary>
/// <remarks>
/// Each write is a merge patch of the edge's own fields with the version it was decided on: another replica may know of later use, and a
/// patch without a version would take it back. On a conflict the workspace is read and decided anew.
/// </remarks>
internal sealed partial class ActivityWriter(
    IKubeClient client, WorkspaceWatch watch, ActivityTable table, PolicyReader policy, WorkspaceOptions options, EdgeMetrics metrics,
    TimeProvider clock, ILogger<ActivityWriter> logger)
{
    // Eight at a time: a thousand workspaces whose stop was announced at once are written within seconds, and the API has room for others.
    private const int Concurrency = 8;
    private const int Tries = 5;

    // One write may take as long as one renewal of the Lease.
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(5);

    // What was written last, for as long as the watch has not brought it back.
    private readonly ConcurrentDictionary<string, UserWorkspace> _written = new(StringComparer.Ordinal);

    /// <summary>Writes all that has to be written.</summary>
    /// <param name="everything">Also what has hardly moved: the replica ends.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether each write that was needed was done.</returns>
    public async Task<bool> FlushAsync(bool everything, CancellationToken cancellationToken)
    {
        var needed = table.All.Where(u => Plan(u.Name, null, everything) is not null).Select(u => u.Name).ToArray();
        var failed = 0;
        try
        {
            await Parallel.ForEachAsync(
                needed,
                new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken },
                async (name, token) =>
                {
                    if (!await WriteAsync(name, null, everything, token).ConfigureAwait(false))
                    {
                        Interlocked.Increment(ref failed);
                    }
                }).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        return failed == 0;
    }

    /// <summary>Writes one workspace's use, if it has to be written.</summary>
    /// <param name="name">The workspace.</param>
    /// <param name="probe">What its application said, to be written in any case.</param>
    /// <param name="everything">Also what has hardly moved.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when a write was needed and failed.</returns>
    public async Task<bool> WriteAsync(string name, ProbeResult? probe, bool everything, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(WriteTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            for (var attempt = 0; attempt < Tries; attempt++)
            {
                if (Plan(name, probe, everything) is not { } plan)
                {
                    return true;
                }

                WorkspacePatches.ForVersion(plan.Patch, plan.Workspace.Metadata.ResourceVersion);
                var body = KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(plan.Patch, EdgeJson.Default.JsonObject));
                try
                {
                    _written[name] = await client.PatchAsync<UserWorkspace>(
                        options.Namespace, name, body, new WriteOptions { FieldManager = "berth-edge" }, either.Token, "status")
                            .ConfigureAwait(false);
                    metrics.ActivityWritten("written");
                    return true;
                }
                catch (KubeException error) when (error.IsConflict)
                {
                    _written[name] = await client.GetAsync<UserWorkspace>(options.Namespace, name, either.Token).ConfigureAwait(false);
                }
            }

            LogNotWritten(name, "it was changed by others each time");
        }
        catch (KubeException error) when (error.IsNotFound)
        {
            Forget(name);
            return true;
        }
        catch (Exception error) when (error is KubeException or HttpRequestException or IOException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotWritten(name, error is OperationCanceledException ? "the API did not answer in time" : error.Message);
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        metrics.ActivityWritten("failed");
        return false;
    }

    /// <summary>The workspace as it stands, as far as this replica knows; null when it is gone.</summary>
    public UserWorkspace? Current(string name)
    {
        var seen = watch.Find(name);
        if (seen is null || !_written.TryGetValue(name, out var written))
        {
            return seen;
        }

        if (seen.Metadata.Uid == written.Metadata.Uid && !WorkspaceWatch.IsAtLeast(seen, written))
        {
            return written;
        }

        _written.TryRemove(new KeyValuePair<string, UserWorkspace>(name, written));
        return seen;
    }

    /// <summary>The workspace is gone.</summary>
    public void Forget(string name)
    {
        table.Remove(name);
        _written.TryRemove(name, out _);
    }

    private (UserWorkspace Workspace, System.Text.Json.Nodes.JsonObject Patch)? Plan(string name, ProbeResult? probe, bool everything)
    {
        if (Current(name) is not { } workspace || workspace.Metadata.DeletionTimestamp is not null)
        {
            return null;
        }

        var step = IdleTimes.Step(IdleTimes.Timeout(workspace, watch.TemplateOf(workspace), policy.Lifetime));
        return ActivityPlan.Patch(workspace, table.Find(name)?.Last, probe, step, everything, clock.GetUtcNow()) is { } patch
            ? (workspace, patch) : null;
    }

    [LoggerMessage(5601, LogLevel.Warning, "The last use of workspace {Name} could not be written and is tried again: {Reason}")]
    private partial void LogNotWritten(string name, string reason);
}
