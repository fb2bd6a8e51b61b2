using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>All that a decision about one workspace is made from, as the caches hold it.</summary>
internal sealed record Observation
{
    public required UserWorkspace Workspace { get; init; }

    /// <summary>The template in effect: the one that the workspace names, or the last of its successors.</summary>
    public WorkspaceTemplate? Template { get; init; }

    /// <summary>The way to <see cref="Template"/>; null: there is no other than the one that is named.</summary>
    public TemplateChain? Chain { get; init; }

    /// <summary>The template that the pod was made from, as it is now; null without a pod, or when it is gone.</summary>
    public WorkspaceTemplate? PodTemplate { get; init; }

    /// <summary>
    /// Names of the templates in the namespace that people can take, for the message when the wanted one is not among them.
    /// </summary>
    public ImmutableArray<string> KnownTemplates { get; init; } = [];

    public Pod? Pod { get; init; }

    /// <summary>Further pods of this very workspace, which should not be.</summary>
    public ImmutableArray<Pod> SurplusPods { get; init; } = [];

    public PersistentVolumeClaim? Volume { get; init; }

    public Service? Service { get; init; }

    public NetworkPolicy? NetworkPolicy { get; init; }

    public IngressRoute? Route { get; init; }

    public ImmutableArray<Middleware> Middlewares { get; init; } = [];

    /// <summary>Warnings about the pod; read only while it takes long to start.</summary>
    public ImmutableArray<CoreEvent> PodEvents { get; init; } = [];

    /// <summary>What the installation allows.</summary>
    public EffectivePolicy Policy { get; init; } = EffectivePolicy.Default;

    /// <summary>The pod's node; read only where it may be lost.</summary>
    public NodeSight? Node { get; init; }

    /// <summary>The way to the template that is taken where <see cref="Template"/> fails again and again; null: none can be.</summary>
    public TemplateChain? Fallback { get; init; }

    /// <summary>What the edge's replicas that look after the workspace's namespace say of themselves.</summary>
    public ImmutableArray<EdgeReport> Edges { get; init; } = [];

    /// <summary>How it stands under the ceilings.</summary>
    public Admission Admission { get; init; } = Admission.Open;

    public bool TraefikServed { get; init; }

    public bool NamespaceTerminating { get; init; }

    /// <summary>What is known of its storage beside the volume.</summary>
    public StorageFacts Storage { get; init; } = new();

    /// <summary>What the API refused in this pass, by part.</summary>
    public ImmutableDictionary<ChildPart, string> Refusals { get; init; } = ImmutableDictionary<ChildPart, string>.Empty;

    public required DateTimeOffset Now { get; init; }
}

/// <summary>The parts of a workspace, for messages about clashes and refusals.</summary>
internal enum ChildPart
{
    Volume,
    Pod,
    Service,
    NetworkPolicy,
    Route,
    Middleware,
    Backup,
}

/// <summary>One write.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>The part it writes, null for the workspace itself.</summary>
    public virtual ChildPart? Part => null;

    internal sealed record AddFinalizer : Step;

    internal sealed record RemoveFinalizer : Step;

    internal sealed record ApplyVolume(PersistentVolumeClaim Object) : Step
    {
        public override ChildPart? Part => ChildPart.Volume;
    }

    internal sealed record DeleteVolume(PersistentVolumeClaim Object) : Step
    {
        public override ChildPart? Part => ChildPart.Volume;
    }

    /// <summary>Makes another volume than the one in use, from a snapshot.</summary>
    internal sealed record CreateVolume(PersistentVolumeClaim Object) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    /// <summary>Changes annotations of a volume; null takes one away.</summary>
    internal sealed record MarkVolume(PersistentVolumeClaim Object, ImmutableDictionary<string, string?> Changes) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    /// <summary>Deletes a volume that a restore replaced, as it was looked at.</summary>
    internal sealed record DeleteReleased(PersistentVolumeClaim Object) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    /// <summary>What the pods of backups may reach.</summary>
    internal sealed record ApplyStorageNetwork(NetworkPolicy Object) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    internal sealed record CreateJob(Job Object) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    internal sealed record DeleteJob(Job Object) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    internal sealed record CreateSnapshot(VolumeSnapshot Object) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    internal sealed record DeleteSnapshot(VolumeSnapshot Object) : Step
    {
        public override ChildPart? Part => ChildPart.Backup;
    }

    internal sealed record ApplyService(Service Object) : Step
    {
        public override ChildPart? Part => ChildPart.Service;
    }

    internal sealed record ApplyNetworkPolicy(NetworkPolicy Object) : Step
    {
        public override ChildPart? Part => ChildPart.NetworkPolicy;
    }

    internal sealed record ApplyMiddleware(Middleware Object) : Step
    {
        public override ChildPart? Part => ChildPart.Middleware;
    }

    internal sealed record DeleteMiddleware(Middleware Object) : Step
    {
        public override ChildPart? Part => ChildPart.Middleware;
    }

    internal sealed record ApplyRoute(IngressRoute Object) : Step
    {
        public override ChildPart? Part => ChildPart.Route;
    }

    internal sealed record DeleteRoute(IngressRoute Object) : Step
    {
        public override ChildPart? Part => ChildPart.Route;
    }

    /// <summary>The wish becomes Stopped, unless anything was written since the look at it.</summary>
    /// <param name="Reason">One of <see cref="RequestReasons"/>.</param>
    /// <param name="At">When it was decided.</param>
    internal sealed record StopWorkspace(string Reason, DateTimeOffset At) : Step
    {
        /// <summary>One of <see cref="RequestedBy"/>.</summary>
        public string By { get; init; } = RequestedBy.Operator;
    }

    /// <summary>The legal hold on the workspace itself.</summary>
    internal sealed record HoldWorkspace : Step;

    internal sealed record ReleaseWorkspace : Step;

    /// <summary>The legal hold on its volume.</summary>
    internal sealed record HoldVolume(PersistentVolumeClaim Object) : Step;

    internal sealed record ReleaseVolume(PersistentVolumeClaim Object) : Step;

    /// <summary>Ends a pod without its grace period, also when its node does not answer.</summary>
    internal sealed record KillPod(Pod Object) : Step
    {
        public override ChildPart? Part => ChildPart.Pod;
    }

    internal sealed record CreatePod(Pod Object) : Step
    {
        public override ChildPart? Part => ChildPart.Pod;
    }

    /// <summary>Puts labels and owner reference of a pod right; it is created and not applied, so nothing else would.</summary>
    /// <param name="Object">The pod as it is.</param>
    /// <param name="Labels">The labels to set.</param>
    /// <param name="Owners">Its owner references; null: they are right.</param>
    internal sealed record RepairPod(
        Pod Object, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<OwnerReference>? Owners) : Step
    {
        public override ChildPart? Part => ChildPart.Pod;
    }

    /// <summary>Takes a pod out of the API whose node is gone: nothing can say any more that it has ended.</summary>
    internal sealed record ForceDeletePod(Pod Object) : Step
    {
        public override ChildPart? Part => ChildPart.Pod;
    }

    /// <summary>Sets the label that a person's workspaces are listed by.</summary>
    internal sealed record RepairWorkspace(string Owner) : Step;

    internal sealed record DeletePod(Pod Object) : Step
    {
        /// <summary>
        /// Only if the pod is still as it was seen: it goes for what is wrong with it, and may have become well since, as one that
        /// got ready in the moment when its start had taken too long.
        /// </summary>
        public bool AsSeen { get; init; }

        public override ChildPart? Part => ChildPart.Pod;
    }
}

/// <summary>An event to record on the workspace.</summary>
internal sealed record Note(bool Warning, string Reason, string Message);

/// <summary>What to do about a workspace now.</summary>
internal sealed record Decision
{
    /// <summary>The writes, in order.</summary>
    public ImmutableArray<Step> Steps { get; init; } = [];

    /// <summary>The status once they are done; null leaves it alone.</summary>
    public UserWorkspaceStatus? Status { get; init; }

    /// <summary>Events to record once the status is written.</summary>
    public ImmutableArray<Note> Notes { get; init; } = [];

    /// <summary>When to look again although nothing changes; null: not needed.</summary>
    public TimeSpan? Again { get; init; }
}
