using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// What administrators decided about a workspace, and what follows. Pure; what was done already is read from the resources.
/// </summary>
internal static class AdministrationPlan
{
    /// <summary>Whether it must not run, whatever its owner wishes.</summary>
    internal static bool Halts(UserWorkspace workspace) => workspace.Spec.Administration?.Frozen == true;

    /// <summary>Whether nothing of it may be deleted.</summary>
    internal static bool Holds(UserWorkspace workspace) => workspace.Spec.Administration?.LegalHold == true;

    /// <summary>Whether a forced stop was asked for that was not served.</summary>
    internal static bool ForcesStop(UserWorkspace workspace) => workspace.Spec.Administration?.ForceStopAt is { } asked
        && Times.Seconds(asked) != workspace.Status?.ForcedStopAt;

    /// <summary>The workspace as the rest of a decision should see it: one that is frozen is one that should be stopped.</summary>
    internal static Observation Apply(Observation seen) => Halts(seen.Workspace)
        ? seen with { Workspace = seen.Workspace with { Spec = seen.Workspace.Spec with { DesiredState = DesiredStates.Stopped } } }
        : seen;

    /// <summary>The wish itself is changed first, so that nothing starts it again; with the version that was looked at.</summary>
    internal static Decision? StopFirst(Observation seen) =>
        ForcesStop(seen.Workspace) && seen.Workspace.Spec.DesiredState != DesiredStates.Stopped
            ? new Decision
            {
                Steps = [new Step.StopWorkspace(RequestReasons.ForceStop, Times.Seconds(seen.Now)) { By = RequestedBy.Admin }],
                Again = TimeSpan.FromSeconds(1),
            }
            : null;

    /// <summary>Adds what the decisions need done: pods ended without their grace period, holds set and taken away.</summary>
    internal static ImmutableArray<Step> Extend(Observation seen, ImmutableArray<Step> steps)
    {
        var workspace = seen.Workspace;
        var result = ImmutableArray.CreateBuilder<Step>();
        if (Holds(workspace) && !IsHeld(workspace))
        {
            // Before anything else of this pass.
            result.Add(new Step.HoldWorkspace());
        }

        if (OwnVolume(seen) is { Metadata.DeletionTimestamp: null } volume && Holds(workspace) != IsHeld(volume))
        {
            result.Add(Holds(workspace) ? new Step.HoldVolume(volume) : new Step.ReleaseVolume(volume));
        }

        if (ForcesStop(workspace))
        {
            result.AddRange(steps.Where(s => s is not Step.DeletePod));
            result.AddRange(seen.SurplusPods.Prepend(seen.Pod).OfType<Pod>().Where(p => Children.Owns(workspace, p.Metadata))
                .Select(p => new Step.KillPod(p)));
        }
        else
        {
            result.AddRange(steps);
        }

        if (!Holds(workspace) && IsHeld(workspace))
        {
            result.Add(new Step.ReleaseWorkspace());
        }

        return result.ToImmutable();
    }

    /// <summary>What becomes of a workspace that is being deleted and held, or was; null: nothing held it.</summary>
    internal static Decision? Ending(Observation seen)
    {
        var workspace = seen.Workspace;
        if (!IsHeld(workspace) && !Holds(workspace))
        {
            return null;
        }

        // Also where the operator had no time to hold it before it was deleted: the API takes no new finalizer then, but the one for its
        // volume keeps it as well.

        if (!Holds(workspace))
        {
            var steps = ImmutableArray.CreateBuilder<Step>();
            if (OwnVolume(seen) is { } volume && IsHeld(volume))
            {
                steps.Add(new Step.ReleaseVolume(volume));
            }

            steps.Add(new Step.ReleaseWorkspace());
            return new Decision { Steps = steps.ToImmutable(), Again = TimeSpan.FromSeconds(1) };
        }

        var decided = workspace.Spec.Administration!;
        var pod = seen.Pod is { } running && Children.Owns(workspace, running.Metadata) ? running : null;
        return new Decision
        {
            Steps = pod is { Metadata.DeletionTimestamp: null } ? [new Step.DeletePod(pod)] : [],
            Status = (workspace.Status ?? new UserWorkspaceStatus()) with
            {
                Phase = WorkspacePhases.Terminating,
                Message = $"The workspace is being deleted, and under a legal hold{Words.By(decided.By)}{Words.Why(decided.Reason)}. "
                    + "It, its volume and its backups are kept until an administrator sets spec.administration.legalHold to false; "
                    + "then it is deleted.",
                ObservedGeneration = workspace.Metadata.Generation,
            },
            Notes = workspace.Status?.Phase == WorkspacePhases.Terminating
                ? []
                : [new Note(true, Reasons.LegalHold, "Its deletion waits for the end of the legal hold.")],
        };
    }

    /// <summary>The volume as it should be: marked, so that whatever deletes volumes leaves it.</summary>
    internal static Blueprint Mark(Observation seen, Blueprint blueprint)
    {
        if (!Holds(seen.Workspace) || blueprint.Volume is not { } volume)
        {
            return blueprint;
        }

        var annotations = new Dictionary<string, string>(
            volume.Metadata.Annotations ?? new Dictionary<string, string>(), StringComparer.Ordinal)
        {
            [Annotations.LegalHold] = "true",
        };
        return blueprint with { Volume = volume with { Metadata = volume.Metadata with { Annotations = annotations } } };
    }

    /// <summary><c>status.forcedStopAt</c>: served in this pass or before.</summary>
    internal static DateTimeOffset? Served(Observation seen) =>
        seen.Workspace.Spec.Administration?.ForceStopAt is { } asked ? Times.Seconds(asked) : seen.Workspace.Status?.ForcedStopAt;

    /// <summary>What the new status says that the former did not: each is put on record once, when that status is written.</summary>
    internal static IEnumerable<AuditRecord> Audit(UserWorkspace workspace, UserWorkspaceStatus? former, UserWorkspaceStatus status)
    {
        if (status.ForcedStopAt is { } served && served != former?.ForcedStopAt)
        {
            yield return AuditRecord.Of(
                workspace, AuditActions.ForceStop, $"The pod was ended without its grace period, as asked for {Times.Text(served)}.");
        }

        var (was, now) = (IsFrozen(former), IsFrozen(status));
        if (was != now)
        {
            yield return now
                ? AuditRecord.Of(workspace, AuditActions.Freeze, "It is stopped and cannot be started.")
                : AuditRecord.Of(workspace, AuditActions.Unfreeze, "It can be started again.");
        }
    }

    internal static bool IsHeld(UserWorkspace workspace) => workspace.Metadata.Finalizers?.Contains(WorkspaceFinalizers.LegalHold) == true;

    private static bool IsHeld(PersistentVolumeClaim volume) => volume.Metadata.Finalizers?.Contains(WorkspaceFinalizers.LegalHold) == true;

    private static PersistentVolumeClaim? OwnVolume(Observation seen) =>
        seen.Volume is { } volume && Children.OwnsVolume(seen.Workspace, volume.Metadata) ? volume : null;

    private static bool IsFrozen(UserWorkspaceStatus? status) =>
        status?.Conditions?.Any(c => c is { Type: ConditionTypes.Admitted, Reason: Reasons.Frozen }) == true;
}
