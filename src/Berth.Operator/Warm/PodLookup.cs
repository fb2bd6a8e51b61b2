using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>
/// Which pod is a workspace's. Most are named as the workspace; one claimed from a warm pool keeps its pool's name, so pods are found by
/// label.
/// </summary>
/// <remarks>
/// The invariant: at most one pod uses a volume. A pod that uses a volume is named either as the workspace or, for a volume from a pool, as
/// the volume (and a pool's names are never used twice). So the API's own refusal of a second pod of one name, and where the volume has
/// another a look at that behind the caches, are enough before a pod is made on a known volume. Only a workspace without a volume can have
/// a claimed pod of any name: there the API is asked by label.
/// </remarks>
internal sealed class PodLookup
{
    private const string WorkspaceIndex = "workspace";

    private readonly SharedInformer<Pod> _pods;

    internal PodLookup(SharedInformer<Pod> pods)
    {
        _pods = pods;
        pods.EnsureIndex(WorkspaceIndex, static p =>
            p.Metadata.Labels?.GetValueOrDefault(Labels.Workspace) is { Length: > 0 } name ? [$"{p.Metadata.Namespace}/{name}"] : []);
    }

    /// <summary>The pod and the surplus ones, as the caches hold them.</summary>
    internal (Pod? Pod, ImmutableArray<Pod> Surplus) Find(UserWorkspace workspace, PersistentVolumeClaim? volume)
    {
        var key = workspace.Key();
        return Choose(workspace, _pods.Store.ByIndex(WorkspaceIndex, $"{key.Namespace}/{key.Name}"), _pods.Store.Get(key),
            volume?.Metadata.Name);
    }

    /// <summary>Whether there is still a pod of a workspace, be it gone itself.</summary>
    internal bool Any(ResourceKey key) => _pods.Store.ByIndex(WorkspaceIndex, $"{key.Namespace}/{key.Name}").Count > 0;

    /// <summary>
    /// Of the pods of this very workspace the one that has its volume; the others are surplus. Where there is none, whatever stands in the
    /// way: a pod of an earlier workspace of the name, which may still use the volume, or somebody else's of the same name.
    /// </summary>
    internal static (Pod? Pod, ImmutableArray<Pod> Surplus) Choose(
        UserWorkspace workspace, IEnumerable<Pod> labelled, Pod? named, string? claim)
    {
        var all = labelled.OrderBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
        var own = all
            .Where(p => Children.Owns(workspace, p.Metadata))
            .OrderByDescending(p => claim is not null && PodForm.ClaimOf(p) == claim)
            .ThenByDescending(p => p.Metadata.Name == workspace.Status?.PodName)
            .ThenBy(p => p.Metadata.DeletionTimestamp is not null)
            .ToList();
        return own.Count > 0 ? (own[0], [.. own.Skip(1)]) : (all.FirstOrDefault() ?? named, []);
    }

    /// <summary>Looks behind the caches before a pod is made: see the remarks of the class.</summary>
    /// <param name="client">The API.</param>
    /// <param name="seen">What the caches hold.</param>
    /// <param name="wanted">The pod to be made.</param>
    /// <param name="pooled">The namespace has warm pools, so a workspace without a volume may have a claimed pod.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task<Observation> LookBehindAsync(
        IKubeClient client, Observation seen, Pod wanted, bool pooled, CancellationToken cancellationToken)
    {
        var ns = wanted.Metadata.Namespace;
        List<Pod> found = [];
        var named = await client.TryGetAsync<Pod>(ns, wanted.Metadata.Name!, cancellationToken);
        if (named is not null)
        {
            found.Add(named);
        }

        if (PodForm.ClaimOf(wanted) is { } claim && claim != wanted.Metadata.Name
            && await client.TryGetAsync<Pod>(ns, claim, cancellationToken) is { } holder)
        {
            found.Add(holder);
        }

        if (pooled && seen.Volume is null)
        {
            // Without a version: what the API holds now, not what one of its caches had at some time.
            var selector = $"{Labels.ManagedBy}={Labels.ManagedByValue},{Labels.Workspace}={seen.Workspace.Metadata.Name}";
            await foreach (var pod in client.ListAllAsync<Pod>(ns, new ListOptions { LabelSelector = selector }, cancellationToken))
            {
                if (found.All(f => f.Metadata.Name != pod.Metadata.Name))
                {
                    found.Add(pod);
                }
            }
        }

        var (chosen, surplus) = Choose(seen.Workspace, found, null, seen.Volume?.Metadata.Name);
        return seen with { Pod = chosen, SurplusPods = surplus };
    }
}
