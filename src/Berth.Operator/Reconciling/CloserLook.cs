using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>
/// Reads what no cache holds, and only where it matters: events of a pod that takes long or was killed, the node of one that may be lost,
/// the namespace of a workspace that goes.
/// </summary>
internal static class CloserLook
{
    private const int MaxEvents = 50;

    // Written by the scheduler, and by the volume controller, when they hand a claim to its provisioner.
    private static readonly ImmutableHashSet<string> Provisioning =
    [
        "volume.kubernetes.io/selected-node", "volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner",
    ];

    internal static async Task<Observation> TakeAsync(IKubeClient client, Observation seen, CancellationToken cancellationToken)
    {
        if (seen.Workspace.Metadata.DeletionTimestamp is not null)
        {
            return Finalizers.Has(seen.Workspace, WorkspaceFinalizers.Storage)
                ? seen with { NamespaceTerminating = await GoesAsync(client, seen.Workspace.Metadata.Namespace!, cancellationToken) }
                : seen;
        }

        if (seen.Pod is not { } pod || !Children.Owns(seen.Workspace, pod.Metadata))
        {
            return seen;
        }

        if (MayBeLost(seen, pod))
        {
            seen = seen with { Node = await NodeAsync(client, pod.Spec!.NodeName!, cancellationToken) };
        }

        if (TakesLong(seen, pod) || WasKilled(seen, pod))
        {
            var events = await EventsAsync(client, pod.Metadata, cancellationToken);
            if (seen.Volume is { Status.Phase: not "Bound" } volume && Children.OwnsVolume(seen.Workspace, volume.Metadata))
            {
                events = events.AddRange(await EventsAsync(client, volume.Metadata, cancellationToken));
            }

            seen = seen with { PodEvents = events };
        }

        return seen;
    }

    private static bool TakesLong(Observation seen, Pod pod) =>
        pod is { Status.Phase: "Pending", Metadata: { DeletionTimestamp: null, CreationTimestamp: { } created } }
        && seen.Now - created >= PodPlan.PendingLook
        && (!string.IsNullOrEmpty(pod.Spec?.NodeName) || (seen.Volume?.Status?.Phase is not "Bound" && IsBegun(seen.Volume, pod)));

    // Where neither the scheduler has said a word nor anybody provisions, there are no events either: when a thousand start at once,
    // listing them would take what the starts need.
    private static bool IsBegun(PersistentVolumeClaim? volume, Pod pod) =>
        pod.Status?.Conditions?.Any(c => c.Type == "PodScheduled") == true
        || volume?.Metadata.Annotations?.Keys.Any(Provisioning.Contains) == true;

    // Only its events say whether a probe was why; once told, it is not asked again.
    private static bool WasKilled(Observation seen, Pod pod) =>
        pod is { Status.Phase: "Failed", Metadata.DeletionTimestamp: null }
        && ContainerBlame.Find(pod.Status)?.State?.Terminated is { ExitCode: 137 or 143, Reason: not "OOMKilled" }
        && !FailedPods.IsCounted(seen, pod);

    private static bool MayBeLost(Observation seen, Pod pod) =>
        !string.IsNullOrEmpty(pod.Spec?.NodeName)
        && (FailureClassifier.IsLost(pod, seen.Now) || PodPlan.SilentSince(seen, pod) + PodPlan.PendingLook <= seen.Now
            || (!PodPlan.WasReady(seen, pod) && PodPlan.IsStalled(seen, pod)));

    private static async Task<ImmutableArray<CoreEvent>> EventsAsync(IKubeClient client, ObjectMeta about,
        CancellationToken cancellationToken)
    {
        var page = await client.ListPageAsync<CoreEvent>(
            about.Namespace,
            new ListOptions { FieldSelector = $"involvedObject.uid={about.Uid}", Limit = MaxEvents },
            cancellationToken);
        return
        [
            .. page.Items
                .Where(e => e.Type == "Warning" && e.InvolvedObject.Uid == about.Uid)
                .OrderBy(e => e.LastTimestamp ?? e.EventTime ?? e.Metadata.CreationTimestamp),
        ];
    }

    private static async Task<NodeSight?> NodeAsync(IKubeClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            return NodeSight.Of(await client.TryGetAsync<Node>(null, name, cancellationToken));
        }
        catch (KubeException e) when (e.Code == 403)
        {
            // Without the right to look, nothing is known of it, and so nothing is forced.
            return null;
        }
    }

    private static async Task<bool> GoesAsync(IKubeClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            var ns = await client.TryGetAsync<Namespace>(null, name, cancellationToken);
            return ns is null || ns.Metadata.DeletionTimestamp is not null;
        }
        catch (KubeException e) when (e.Code == 403)
        {
            // Without the right to look at namespaces it is taken to stay.
            return false;
        }
    }
}
