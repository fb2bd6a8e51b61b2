using Berth.Resources;

namespace Berth.Operator;

/// <summary>Puts what was found and decided into a status.</summary>
internal static class StatusWriter
{
    internal static UserWorkspaceStatus Write(Observation seen, Blueprint blueprint, ChildPlan children, PodPlan pod,
        LifetimePlan life, StoragePlan storage, BlueprintSettings settings)
    {
        var workspace = seen.Workspace;
        var former = workspace.Status ?? new UserWorkspaceStatus();
        var now = Times.Seconds(seen.Now);
        var conditions = new ConditionSet(former.Conditions, workspace.Metadata.Generation, now);
        PartConditions.Template(conditions, seen, blueprint);
        AdmissionPlan.Write(conditions, seen, blueprint, pod);
        PartConditions.Storage(conditions, seen, blueprint, children, pod, storage);
        AdmissionPlan.WriteGrowth(conditions, seen);
        PodConditions.Write(conditions, seen, pod, children);
        PartConditions.Route(conditions, seen, blueprint, children, settings);

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

        Freshness(conditions, life);
        var own = seen.Pod is { } found && Children.Owns(workspace, found.Metadata) ? found : null;
        var current = own is not null
            ? own.Metadata.Annotations?.GetValueOrDefault(Annotations.Revision)
            : pod.State == PodState.Creating ? blueprint.Revision : null;
        var desired = blueprint.WishedRevision ?? blueprint.Revision ?? former.TemplateRevision?.Desired;
        return UsagePlan.Write(seen, former with
        {
            Phase = Phase(seen, blueprint, children, pod, usable),
            Message = conditions.FirstNotTrue()?.Message,
            Url = blueprint.Url,
            NodeName = string.IsNullOrEmpty(seen.Pod?.Spec?.NodeName) ? null : seen.Pod.Spec.NodeName,
            PodName = own?.Metadata.Name ?? (pod.State == PodState.Creating ? blueprint.Pod?.Metadata.Name : null),
            IdentityAudience = own?.Metadata.Annotations?.GetValueOrDefault(Annotations.IdentityAudience),
            ObservedGeneration = workspace.Metadata.Generation,
            Conditions = conditions.ToList(),
            Activity = life.Activity,
            Start = StartStatus.Write(seen, pod, now),
            Failure = FailureStatus.Write(blueprint, children, pod, seen),
            Storage = storage.Status(seen),
            Queue = AdmissionPlan.Place(seen),
            ForcedStopAt = AdministrationPlan.Served(seen),
            TemplateRevision = current is null && desired is null && seen.Chain?.Redirects is not { IsEmpty: false }
                ? null
                : new TemplateRevision
                {
                    Current = current,
                    Desired = desired,
                    PendingRestart = current is not null
                    && desired is not null && current != desired,
                    Redirects = (blueprint.Fallback is null ? seen.Chain : seen.Fallback) is { Redirects: { IsEmpty: false } redirects }
                        ? redirects
                        : null,
                    Fallback = blueprint.Fallback,
                },
        });
    }

    private static string Phase(Observation seen, Blueprint blueprint, ChildPlan children, PodPlan pod, bool usable) => pod.State switch
    {
        PodState.Absent => WorkspacePhases.Stopped,
        PodState.Ending => WorkspacePhases.Stopping,
        PodState.Ready => usable ? WorkspacePhases.Running : WorkspacePhases.Starting,
        PodState.Creating or PodState.Starting => WorkspacePhases.Starting,
        PodState.Failing => pod.Effect == FailureEffect.Wait ? WorkspacePhases.Starting : WorkspacePhases.Failed,
        PodState.Foreign => Children.OwnedByFormer(seen.Workspace, seen.Pod!.Metadata) ? WorkspacePhases.Starting : WorkspacePhases.Failed,
        PodState.Blocked when AdmissionPlan.Waits(seen, pod) => WorkspacePhases.Pending,
        PodState.Blocked => blueprint.Problems.IsEmpty && seen.Template is not null
            && children.Obstacles.Values.All(o => o.Reason == Reasons.WaitingForFormerPod)
                ? WorkspacePhases.Starting
                : WorkspacePhases.Failed,
        _ => WorkspacePhases.Failed,
    };

    private static void Freshness(ConditionSet conditions, LifetimePlan life)
    {
        if (life.Awaits)
        {
            conditions.Keep(ConditionTypes.ActivityFresh);
        }
        else if (life.Unknown is { } why)
        {
            conditions.False(ConditionTypes.ActivityFresh, Reasons.Stale, $"Whether it is used is not known, because {why}. It is not "
                + "stopped for "
                + "lack of use until that is known. An administrator should look at the edge's replicas and their Leases.");
        }
        else if (life.TellsFreshness)
        {
            conditions.True(ConditionTypes.ActivityFresh, Reasons.Fresh, "Whether it is used is known.");
        }
    }
}
