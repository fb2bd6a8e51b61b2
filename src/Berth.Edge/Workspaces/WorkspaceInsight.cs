using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>What happened to a workspace and what its program writes: read from the API when somebody asks, never kept.</summary>
internal sealed class WorkspaceInsight(IKubeClient client, WorkspaceService workspaces, WorkspaceOptions options)
{
    /// <summary>Most events in an answer: more is a loop, whose first lines say it all.</summary>
    private const int MaximumEvents = 200;

    /// <summary>Events of the workspace, its pods and its volume, newest last.</summary>
    public async Task<IReadOnlyList<CoreEvent>> EventsAsync(Caller caller, string name, CancellationToken cancellationToken)
    {
        workspaces.Get(caller, name);
        try
        {
            var pods = await PodsAsync(name, cancellationToken).ConfigureAwait(false);

            // The children bear the workspace's name, or begin with it; a pod that is gone still has events, so names are matched, not only
            // pods that are there.
            var names = pods.Select(p => p.Metadata.Name).Append(name).ToHashSet(StringComparer.Ordinal);
            var events = new List<CoreEvent>();
            string? next = null;
            do
            {
                var page = await client.ListPageAsync<CoreEvent>(options.Namespace, new ListOptions { Limit = 500, Continue = next },
                    cancellationToken)
                    .ConfigureAwait(false);
                events.AddRange(page.Items.Where(e => names.Contains(e.InvolvedObject.Name)));
                next = page.Metadata.Continue;
            }
            while (!string.IsNullOrEmpty(next));
            return [.. events.OrderBy(TimeOf).TakeLast(MaximumEvents)];
        }
        catch (KubeException error)
        {
            throw KubeProblems.From(error, name);
        }
    }

    /// <summary>The log of the workspace's newest pod, as bytes of text; the caller disposes the stream.</summary>
    /// <param name="caller">Who.</param>
    /// <param name="name">The workspace.</param>
    /// <param name="follow">Keep it open for what comes.</param>
    /// <param name="tail">Only the last lines; null for all that is kept.</param>
    /// <param name="previous">Of the instance before the last restart.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    public async Task<Stream> OpenLogAsync(Caller caller, string name, bool follow, int? tail, bool previous,
        CancellationToken cancellationToken)
    {
        workspaces.Get(caller, name);
        try
        {
            var pods = await PodsAsync(name, cancellationToken).ConfigureAwait(false);
            var pod = pods.OrderBy(p => p.Metadata.CreationTimestamp).LastOrDefault()
                ?? throw new ProblemException(409, "no-pod", "There is nothing to read",
                    $"The workspace '{name}' has no running program, so it has no log. Start it first; its events say why it stopped.");
            return await client.OpenLogAsync(
                options.Namespace, pod.Metadata.Name!, new LogOptions { Follow = follow, TailLines = tail, Previous = previous },
                    cancellationToken).ConfigureAwait(false);
        }
        catch (KubeException error) when (error.Code == 400)
        {
            throw new ProblemException(409, "no-log", "There is no log yet",
                $"The program of '{name}' has not started yet: {error.Message}", cause: error);
        }
        catch (KubeException error)
        {
            throw KubeProblems.From(error, name);
        }
    }

    /// <summary>When an event happened last, of the several fields that may say so.</summary>
    public static DateTimeOffset TimeOf(CoreEvent e) =>
        e.Series?.LastObservedTime ?? e.LastTimestamp ?? e.EventTime ?? e.FirstTimestamp ?? e.Metadata.CreationTimestamp
            ?? DateTimeOffset.UnixEpoch;

    private async Task<IReadOnlyList<Pod>> PodsAsync(string name, CancellationToken cancellationToken)
    {
        var page = await client.ListPageAsync<Pod>(
            options.Namespace, new ListOptions { LabelSelector = $"{Labels.Workspace}={name}" }, cancellationToken).ConfigureAwait(false);
        return page.Items;
    }
}
