using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
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

    /// <summary>When it was last used.</summary>
    [Description("When it was last used.")]
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

    /// <summary>When it will be stopped unless it is used before.</summary>
    [Description("When it will be stopped unless it is used before.")]
    public DateTimeOffset? StopsAt { get; init; }
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
}
