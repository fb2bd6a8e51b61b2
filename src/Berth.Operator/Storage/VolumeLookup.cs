using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>
/// Which claim is a workspace's. Most are named as the workspace; one from a warm pool keeps its pool's name, and one restored from a
/// snapshot has a new one. The status remembers the name, and a workspace that is created again finds what its owner left.
/// </summary>
internal sealed class VolumeLookup
{
    private const string WorkspaceIndex = "workspace";

    private readonly SharedInformer<PersistentVolumeClaim> _volumes;

    internal VolumeLookup(SharedInformer<PersistentVolumeClaim> volumes)
    {
        _volumes = volumes;
        volumes.EnsureIndex(WorkspaceIndex, static v =>
            v.Metadata.Labels?.GetValueOrDefault(Labels.Workspace) is { Length: > 0 } name ? [$"{v.Metadata.Namespace}/{name}"] : []);
    }

    /// <summary>The workspace's claim; null when there is none. It may be somebody else's: callers look at its labels.</summary>
    internal PersistentVolumeClaim? Find(UserWorkspace workspace)
    {
        var ns = workspace.Metadata.Namespace ?? "";
        var remembered = workspace.Status?.Storage?.ClaimName is { Length: > 0 } name ? _volumes.Store.Get(new ResourceKey(ns, name))
            : null;
        return Choose(
            workspace, remembered, _volumes.Store.Get(workspace.Key()), Labelled(new ResourceKey(ns, workspace.Metadata.Name ?? "")));
    }

    /// <summary>All claims that bear a workspace's name in their labels, whoever owns them.</summary>
    internal IReadOnlyList<PersistentVolumeClaim> Labelled(ResourceKey workspace) =>
        _volumes.Store.ByIndex(WorkspaceIndex, $"{workspace.Namespace}/{workspace.Name}");

    /// <summary>Name of the claim to make when there is none.</summary>
    internal static string NameFor(UserWorkspace workspace) =>
        workspace.Status?.Storage?.ClaimName is { Length: > 0 } name ? name : workspace.Metadata.Name!;

    /// <summary>
    /// The remembered one; else, of those that this owner left under this workspace's name, the one in use last: not one that a restore
    /// replaced, and of several released ones the latest. Else whatever has the workspace's name, for the message that it is not ours.
    /// </summary>
    internal static PersistentVolumeClaim? Choose(
        UserWorkspace workspace,
        PersistentVolumeClaim? remembered,
        PersistentVolumeClaim? named,
        IEnumerable<PersistentVolumeClaim> labelled) =>
        remembered
        ?? labelled
            .Where(v => Children.OwnsVolume(workspace, v.Metadata))
            .OrderBy(v => v.Metadata.DeletionTimestamp is not null)
            .ThenBy(v => v.Metadata.Annotations?.ContainsKey(Annotations.ReplacedBy) == true)
            .ThenBy(v => ReleasedAt(v.Metadata) is not null)
            .ThenByDescending(v => v.Metadata.Name == workspace.Metadata.Name)
            .ThenByDescending(v => ReleasedAt(v.Metadata))
            .ThenBy(v => v.Metadata.Name, StringComparer.Ordinal)
            .FirstOrDefault()
        ?? named;

    /// <summary>Since when a claim has no workspace; null while it has one, or when nobody has noticed yet.</summary>
    internal static DateTimeOffset? ReleasedAt(ObjectMeta volume) =>
        Times.Parse(volume.Annotations?.GetValueOrDefault(Annotations.ReleasedAt));
}
