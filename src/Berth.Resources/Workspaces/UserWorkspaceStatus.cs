using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>How a workspace is. Written by the operator alone; programs look at conditions, people at phase and message.</summary>
public sealed record UserWorkspaceStatus
{
    /// <summary>One of <see cref="WorkspacePhases"/>.</summary>
    [Description("Summary for people: Pending, Starting, Running, Stopping, Stopped, Failed or Terminating.")]
    [AllowedValues(WorkspacePhases.Pending, WorkspacePhases.Starting, WorkspacePhases.Running, WorkspacePhases.Stopping,
        WorkspacePhases.Stopped,
        WorkspacePhases.Failed, WorkspacePhases.Terminating)]
    public string? Phase { get; init; }

    /// <summary>The first condition that is not true, in words; null when all are.</summary>
    [Description("The first condition that is not true, in words.")]
    public string? Message { get; init; }

    /// <summary>Public origin, such as <c>http://ws-abc.localhost:8080</c>.</summary>
    [Description("Where people open it: scheme, host and port.")]
    public string? Url { get; init; }

    /// <summary>Node the pod is on.</summary>
    [Description("Node that the pod is on.")]
    public string? NodeName { get; init; }

    /// <summary>metadata.generation that this status speaks of.</summary>
    [Description("The metadata.generation that this status speaks of.")]
    public long? ObservedGeneration { get; init; }

    /// <summary>Conditions of the types in <see cref="ConditionTypes"/>, one each.</summary>
    [Description("TemplateResolved, StorageReady, PodScheduled, PodReady, RouteReady, and their summary Ready.")]
    [ListMap("type")]
    public IReadOnlyList<Condition>? Conditions { get; init; }

    /// <summary>Name of the pod; null without one.</summary>
    [Description("Name of the pod.")]
    public string? PodName { get; init; }

    /// <summary>
    /// Audience that the pod expects in the identity header; null: the workspace's origin. A pod from a warm pool was started before
    /// anybody knew whose it would be, so it has an audience of its own.
    /// </summary>
    [Description("Audience that the pod expects in the identity header. Absent: the workspace's origin.")]
    public string? IdentityAudience { get; init; }

    /// <summary>The volume and its backups.</summary>
    [Description("The volume and its backups.")]
    public WorkspaceStorageStatus? Storage { get; init; }

    /// <summary>Its place where it has to wait for a ceiling; null when it does not.</summary>
    [Description("Its place in the queue, where it has to wait for a ceiling.")]
    public WorkspaceQueuePlace? Queue { get; init; }

    /// <summary>What it used in this month.</summary>
    [Description("What it used in this month.")]
    public WorkspaceUsage? Usage { get; init; }

    /// <summary>The <c>spec.administration.forceStopAt</c> served last.</summary>
    [Description("The spec.administration.forceStopAt that was served last.")]
    public DateTimeOffset? ForcedStopAt { get; init; }

    /// <summary>When it was last used.</summary>
    [Description("When it was last used. Last, source and observedAt are written by the edge, the rest by the operator.")]
    public WorkspaceActivity? Activity { get; init; }

    /// <summary>Milestones of the present or last start.</summary>
    [Description("Milestones of the present or last start.")]
    public WorkspaceStart? Start { get; init; }

    /// <summary>The last failure; null when there is none to report.</summary>
    [Description("The last failure. Gone after ten minutes of good health, and after a stop.")]
    public WorkspaceFailure? Failure { get; init; }

    /// <summary>What the pod was made from, and what it would be made from now.</summary>
    [Description("What the pod was made from, and what it would be made from now.")]
    public TemplateRevision? TemplateRevision { get; init; }
}

/// <summary>When a workspace was last used.</summary>
public sealed record WorkspaceActivity
{
    /// <summary>Time of the last use known.</summary>
    [Description("Time of the last use known.")]
    public DateTimeOffset? Last { get; init; }

    /// <summary>What kind of use, as a CamelCase word.</summary>
    [Description("What kind of use it was, as a CamelCase word.")]
    public string? Source { get; init; }

    /// <summary>When <see cref="Last"/> was written, or the application's own answer was read.</summary>
    [Description("When the edge looked last.")]
    public DateTimeOffset? ObservedAt { get; init; }

    /// <summary>When the application's activity probe answered last; null where the template has none.</summary>
    [Description("When the application's own activity probe answered last.")]
    public DateTimeOffset? ProbedAt { get; init; }

    /// <summary>When it will be stopped unless it is used before; null while no stop is announced.</summary>
    [Description("When it will be stopped unless it is used before. Present once the stop is announced.")]
    public DateTimeOffset? StopsAt { get; init; }

    /// <summary>When the stop was announced.</summary>
    [Description("When the stop was announced.")]
    public DateTimeOffset? AnnouncedAt { get; init; }

    /// <summary>Why it will be stopped: Idle or MaxRun.</summary>
    [Description("Why it will be stopped: Idle or MaxRun.")]
    public string? StopReason { get; init; }

    /// <summary>What keeps it running now, in words.</summary>
    [Description("What keeps it running now, in words.")]
    public string? KeptBy { get; init; }
}

/// <summary>Milestones of a start.</summary>
public sealed record WorkspaceStart
{
    /// <summary>When it was asked for, or seen first.</summary>
    [Description("When the start was asked for, or first seen.")]
    public DateTimeOffset? RequestedAt { get; init; }

    /// <summary>When the pod got a node.</summary>
    [Description("When the pod got a node.")]
    public DateTimeOffset? ScheduledAt { get; init; }

    /// <summary>When it was first ready.</summary>
    [Description("When it was ready.")]
    public DateTimeOffset? ReadyAt { get; init; }

    /// <summary>One of <see cref="StartPaths"/>.</summary>
    [Description("Cold: a pod made for this start. Warm: a pod that was waiting.")]
    public string? Path { get; init; }
}

/// <summary>Why a workspace does not run.</summary>
public sealed record WorkspaceFailure
{
    /// <summary>One of <see cref="FailureClasses"/>.</summary>
    [Description("Who can mend it: User, Platform or Template.")]
    public string? Class { get; init; }

    /// <summary>One of <see cref="Reasons"/>.</summary>
    [Description("What happened, as a CamelCase word.")]
    public string? Reason { get; init; }

    /// <summary>What happened and what to do about it, in words.</summary>
    [Description("What happened and what to do about it, in words.")]
    public string? Message { get; init; }

    /// <summary>Pods that failed in a row.</summary>
    [Description("How many pods failed in a row.")]
    public int? Attempts { get; init; }

    /// <summary>When the operator tries again; null when nothing but a change helps, or while a try is under way.</summary>
    [Description("When the operator tries again. Absent while a try is under way, and when only a change can help.")]
    public DateTimeOffset? NextRetryAt { get; init; }
}

/// <summary>Revisions are hashes of everything a pod is made from: template, parameters, resources, settings.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record TemplateRevision
{
    /// <summary>What the pod was made from; null without a pod.</summary>
    [Description("Revision that the pod was made from.")]
    public string? Current { get; init; }

    /// <summary>What it would be made from now.</summary>
    [Description("Revision that a new pod would be made from.")]
    public string? Desired { get; init; }

    /// <summary>The two differ: the next start brings a change.</summary>
    [Description("The two differ: a restart brings the change. Nothing restarts by itself.")]
    public bool? PendingRestart { get; init; }

    /// <summary>
    /// Templates passed on the way from <c>spec.template.name</c> to the one in effect, itself the last; null when there was no redirect.
    /// </summary>
    [Description("Templates passed on the way from spec.template.name to the one in effect, which is the last. Absent: no redirect.")]
    [MaxLength(8)]
    public IReadOnlyList<string>? Redirects { get; init; }

    /// <summary>The wished template failed again and again, and another one is in effect instead; null when it is not.</summary>
    [Description("The wished template failed again and again, and another one is in effect instead, until the next wish or a change of the "
        + "template.")]
    public TemplateFallback? Fallback { get; init; }
}

/// <summary>Another template than the wished one, which failed.</summary>
public sealed record TemplateFallback
{
    /// <summary>Name of the template that is in effect.</summary>
    [Description("Name of the template that is in effect.")]
    public string? Template { get; init; }

    /// <summary>The revision that failed: another one is tried again.</summary>
    [Description("The revision that failed. Another one is tried again.")]
    public string? Instead { get; init; }

    /// <summary>Since when: a later wish tries the wished template again.</summary>
    [Description("Since when. A later wish tries the wished template again.")]
    public DateTimeOffset? Since { get; init; }

    /// <summary>What failed, in words.</summary>
    [Description("What failed, in words.")]
    public string? Message { get; init; }
}
