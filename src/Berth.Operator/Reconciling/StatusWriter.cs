using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Puts what was found and decided into a status.</summary>
internal static class StatusWriter
{
    internal static UserWorkspaceStatus Write(Observation seen, Blueprint blueprint, ChildPlan children, PodPlan pod,
        BlueprintSettings settings)
    {
        var workspace = seen.Workspace;
        var former = workspace.Status ?? new UserWorkspaceStatus();
        var now = new DateTimeOffset(seen.Now.Ticks - (seen.Now.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        var conditions = new ConditionSet(former.Conditions, workspace.Metadata.Generation, now);
        Template(conditions, seen, blueprint);
        Storage(conditions, seen, blueprint, children, pod);
        PodConditions(conditions, seen, pod, children);
        Route(conditions, seen, blueprint, children, settings);

        var usable = conditions.IsTrue(ConditionTypes.StorageReady) && conditions.IsTrue(ConditionTypes.PodReady)
            && conditions.IsTrue(ConditionTypes.RouteReady);
        if (usable)
        {
            conditions.True(ConditionTypes.Ready, Reasons.Ready, $"The workspace can be used at {blueprint.Url}.");
        }
        else
        {
            var first = conditions.FirstNotTrue();
            conditions.False(ConditionTypes.Ready, first?.Reason ?? Reasons.NotReady, first?.Message ?? "The workspace is not ready.");
        }

        var current = seen.Pod is { } p && Children.Owns(workspace, p.Metadata)
            ? p.Metadata.Annotations?.GetValueOrDefault(Annotations.Revision)
            : pod.State == PodState.Creating ? blueprint.Revision : null;
        var desired = blueprint.Revision ?? former.TemplateRevision?.Desired;
        return former with
        {
            Phase = Phase(seen, blueprint, children, pod, usable),
            Message = conditions.FirstNotTrue()?.Message,
            Url = blueprint.Url,
            NodeName = string.IsNullOrEmpty(seen.Pod?.Spec?.NodeName) ? null : seen.Pod.Spec.NodeName,
            ObservedGeneration = workspace.Metadata.Generation,
            Conditions = conditions.ToList(),
            Start = Start(seen, pod, now),
            Failure = Failure(blueprint, children, pod, seen),
            Storage = StorageStatus.Write(seen),
            TemplateRevision = current is null && desired is null
                ? null
                : new TemplateRevision
                {
                    Current = current,
                    Desired = desired,
                    PendingRestart = current is not null
                    && desired is not null && current != desired
                },
        };
    }

    private static string Phase(Observation seen, Blueprint blueprint, ChildPlan children, PodPlan pod, bool usable) => pod.State switch
    {
        PodState.Absent => WorkspacePhases.Stopped,
        PodState.Ending => WorkspacePhases.Stopping,
        PodState.Ready => usable ? WorkspacePhases.Running : WorkspacePhases.Starting,
        PodState.Creating or PodState.Starting => WorkspacePhases.Starting,
        PodState.Failing => pod.Effect == FailureEffect.Wait ? WorkspacePhases.Starting : WorkspacePhases.Failed,
        PodState.Foreign => Children.OwnedByFormer(seen.Workspace, seen.Pod!.Metadata) ? WorkspacePhases.Starting : WorkspacePhases.Failed,
        PodState.Blocked => blueprint.Problems.IsEmpty && seen.Template is not null
            && children.Obstacles.Values.All(o => o.Reason == Reasons.WaitingForFormerPod)
                ? WorkspacePhases.Starting
                : WorkspacePhases.Failed,
        _ => WorkspacePhases.Failed,
    };

    private static void Template(ConditionSet conditions, Observation seen, Blueprint blueprint)
    {
        var name = seen.Workspace.Spec.Template.Name;
        if (!blueprint.Problems.IsEmpty)
        {
            conditions.False(ConditionTypes.TemplateResolved, blueprint.Problems[0].Reason, string.Join(" ", blueprint.Problems.Select(p =>
                p.Message)));
        }
        else if (seen.Template is null)
        {
            conditions.False(ConditionTypes.TemplateResolved, Reasons.TemplateNotFound, NotFound(seen));
        }
        else
        {
            conditions.True(ConditionTypes.TemplateResolved, Reasons.Resolved, $"Template '{name}' was found and takes the parameters.");
        }
    }

    private static string NotFound(Observation seen)
    {
        var known = seen.KnownTemplates.IsEmpty
            ? "there are none yet: create a WorkspaceTemplate"
            : $"set spec.template.name to one of {string.Join(", ", seen.KnownTemplates.Order(StringComparer.Ordinal).Take(20))}";
        return $"There is no template '{seen.Workspace.Spec.Template.Name}' in namespace {seen.Workspace.Metadata.Namespace}; {known}.";
    }

    private static void Storage(ConditionSet conditions, Observation seen, Blueprint blueprint, ChildPlan children, PodPlan pod)
    {
        const string type = ConditionTypes.StorageReady;
        if (children.Obstacles.TryGetValue(ChildPart.Volume, out var obstacle))
        {
            conditions.False(type, obstacle.Reason, obstacle.Message);
        }
        else if (seen.Volume is not { } volume)
        {
            if (blueprint.Volume is null)
            {
                conditions.Unknown(type, Reasons.NotReady, "The volume is made once the template is resolved.");
            }
            else
            {
                conditions.False(type, Reasons.Provisioning, "The volume is being made.");
            }
        }
        else if (volume.Status?.Phase == "Lost")
        {
            conditions.False(type, Reasons.VolumeLost,
                $"The data behind volume {volume.Metadata.Name} is lost. An administrator has to restore it from a backup, or remove "
                    + "the volume.");
        }
        else if (volume.Status?.Phase == "Bound" || pod.State == PodState.Ready)
        {
            if (blueprint.ShrinkRefusal is { } refusal)
            {
                conditions.True(type, Reasons.ShrinkRefused, refusal);
            }
            else
            {
                conditions.True(type, Reasons.Bound, $"Volume {volume.Metadata.Name} is there.");
            }
        }
        else
        {
            conditions.False(type, Reasons.Provisioning, "The volume is being made; some clusters make it only when the pod has a node.");
        }
    }

    private static void PodConditions(ConditionSet conditions, Observation seen, PodPlan plan, ChildPlan children)
    {
        var node = seen.Pod?.Spec?.NodeName;
        var onNode = !string.IsNullOrEmpty(node);
        switch (plan.State)
        {
            case PodState.Absent:
                Both(Reasons.Stopped, "The workspace is stopped. Its volume is kept.");
                break;
            case PodState.Blocked:
                if (children.Obstacles.TryGetValue(ChildPart.Pod, out var refused)
                    || children.Obstacles.TryGetValue(ChildPart.NetworkPolicy, out refused))
                {
                    Both(refused.Reason, refused.Message);
                }
                else
                {
                    Both(Reasons.NotReady, "A pod is made once the template is resolved and the volume can be used.");
                }

                break;
            case PodState.Pausing:
                Both(Reasons.BackingOff, WithNext(plan.Failure));
                break;
            case PodState.Foreign when Children.OwnedByFormer(seen.Workspace, seen.Pod!.Metadata):
                Both(Reasons.WaitingForFormerPod,
                    "The pod of an earlier workspace of this name has not ended yet; two pods must not use one volume.");
                break;
            case PodState.Foreign:
                Both(Reasons.NameClash, ChildPlan.Clash(ChildPart.Pod, seen.Workspace));
                break;
            case PodState.Creating:
                Both(Reasons.Scheduling, "The pod is being made.");
                break;
            case PodState.Ending:
                var reason = plan.Restarting ? Reasons.Restarting : Reasons.Stopping;
                var text = plan.Effect == FailureEffect.Wait && plan.Failure is { } lost ? lost.Message!
                    : plan.Restarting ? "The pod ends, so that a new one can start." : "The workspace is stopping.";
                Scheduled();
                conditions.False(ConditionTypes.PodReady, reason, text);
                break;
            case PodState.Ready:
                Scheduled();
                conditions.True(ConditionTypes.PodReady, Reasons.Answering, "The application answers.");
                break;
            case PodState.Failing:
                Scheduled();
                conditions.False(ConditionTypes.PodReady, plan.Failure!.Reason!, WithNext(plan.Failure));
                break;
            default:
                Scheduled();
                conditions.False(ConditionTypes.PodReady, Reasons.Starting,
                    seen.Pod?.Status?.Phase == "Running" ? "The application was started and does not answer yet." : "The container is "
                        + "being started.");
                break;
        }

        void Both(string reason, string message)
        {
            conditions.False(ConditionTypes.PodScheduled, reason, message);
            conditions.False(ConditionTypes.PodReady, reason, message);
        }

        void Scheduled()
        {
            if (onNode)
            {
                conditions.True(ConditionTypes.PodScheduled, Reasons.Scheduled, $"The pod is on node {node}.");
            }
            else if (plan.State == PodState.Ready)
            {
                conditions.True(ConditionTypes.PodScheduled, Reasons.Scheduled, "The pod runs.");
            }
            else if (plan.Failure is { Reason: Reasons.Unschedulable } unschedulable)
            {
                conditions.False(ConditionTypes.PodScheduled, Reasons.Unschedulable, unschedulable.Message!);
            }
            else
            {
                conditions.False(ConditionTypes.PodScheduled, Reasons.Scheduling, "The pod waits for a node.");
            }
        }
    }

    private static void Route(ConditionSet conditions, Observation seen, Blueprint blueprint, ChildPlan children,
        BlueprintSettings settings)
    {
        const string type = ConditionTypes.RouteReady;
        foreach (var part in (ReadOnlySpan<ChildPart>)[ChildPart.Service, ChildPart.NetworkPolicy, ChildPart.Middleware, ChildPart.Route])
        {
            if (children.Obstacles.TryGetValue(part, out var obstacle))
            {
                conditions.False(type, obstacle.Reason, obstacle.Message);
                return;
            }
        }

        if (blueprint.Url is null)
        {
            conditions.False(type, Reasons.InvalidName, "The workspace has no name or owner that could be served.");
        }
        else if (blueprint.Route is null)
        {
            conditions.True(type, Reasons.EdgeServes, settings.Routing == RoutingMode.None
                ? $"Routes are switched off (Routing: None); the edge serves {blueprint.Url} itself."
                : $"This cluster has no Traefik (traefik.io/v1alpha1 is not served); the edge serves {blueprint.Url} itself.");
        }
        else if (settings.Routing == RoutingMode.ForwardAuth)
        {
            conditions.True(type, Reasons.ForwardAuth,
                "Traefik leads to the workspace and asks the edge about each request; while it is not ready, to the edge.");
        }
        else
        {
            conditions.True(type, Reasons.ThroughEdge, "Traefik leads to the edge, which forwards to the workspace.");
        }
    }

    private static WorkspaceStart? Start(Observation seen, PodPlan plan, DateTimeOffset now)
    {
        var former = seen.Workspace.Status?.Start;
        if (plan.State == PodState.Creating)
        {
            var request = seen.Workspace.Spec.LastRequest?.At;
            var created = seen.Workspace.Metadata.CreationTimestamp;
            return new WorkspaceStart
            {
                // A request that an earlier start has answered says nothing about this one.
                RequestedAt = request > (former?.RequestedAt ?? DateTimeOffset.MinValue) && request <= now ? request : former is null
                    ? created ?? now : now,
                Path = StartPaths.Cold,
            };
        }

        if (plan.State is not (PodState.Starting or PodState.Ready) || seen.Pod is not { } pod)
        {
            return former;
        }

        var conditions = pod.Status?.Conditions ?? [];
        return (former ?? new WorkspaceStart { RequestedAt = pod.Metadata.CreationTimestamp, Path = StartPaths.Cold }) with
        {
            ScheduledAt = former?.ScheduledAt ?? conditions.FirstOrDefault(c =>
                c.Type == "PodScheduled" && c.Status == "True")?.LastTransitionTime,
            ReadyAt = former?.ReadyAt ?? conditions.FirstOrDefault(c => c.Type == "Ready" && c.Status == "True")?.LastTransitionTime,
        };
    }

    private static WorkspaceFailure? Failure(Blueprint blueprint, ChildPlan children, PodPlan pod, Observation seen)
    {
        if (pod.State is not (PodState.Blocked or PodState.Foreign))
        {
            return pod.Failure;
        }

        if (!blueprint.Problems.IsEmpty)
        {
            var first = blueprint.Problems[0];
            return new WorkspaceFailure
            {
                Class = first.Class,
                Reason = first.Reason,
                Message = string.Join(" ",
                blueprint.Problems.Select(p => p.Message))
            };
        }

        if (seen.Template is null)
        {
            return new WorkspaceFailure { Class = FailureClasses.User, Reason = Reasons.TemplateNotFound, Message = NotFound(seen) };
        }

        var obstacle = children.Obstacles.OrderBy(o =>
            o.Key).Select(o => o.Value).FirstOrDefault(o => o.Reason != Reasons.WaitingForFormerPod);
        return pod.State == PodState.Foreign && !Children.OwnedByFormer(seen.Workspace, seen.Pod!.Metadata)
            ? new WorkspaceFailure
            {
                Class = FailureClasses.Platform,
                Reason = Reasons.NameClash,
                Message = ChildPlan.Clash(ChildPart.Pod,
                seen.Workspace)
            }
            : obstacle.Message is null
                ? null
                : new WorkspaceFailure { Class = FailureClasses.Platform, Reason = obstacle.Reason, Message = obstacle.Message };
    }

    private static string WithNext(WorkspaceFailure? failure) => failure?.NextRetryAt is { } next
        ? $"{failure.Message} Attempt {(failure.Attempts ?? 0) + 1} is at "
            + $"{next.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} UTC."
        : failure?.Message ?? "The pod failed.";
}
