using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What the ceilings and the administrators' decisions mean for one workspace's objects and status. Pure.</summary>
internal static class AdmissionPlan
{
    /// <summary>The blueprint without what the ceilings do not let be made.</summary>
    internal static Blueprint Limit(Observation seen, Blueprint blueprint)
    {
        var admission = seen.Admission;
        if (blueprint.Volume is not { } volume)
        {
            return blueprint;
        }

        if (!admission.MayExist)
        {
            return blueprint with { Volume = null };
        }

        if (admission.StorageLimit is not { } limit)
        {
            return blueprint;
        }

        // Less than it has is nothing to ask a volume for; what is not there yet is not made smaller than it should be.
        var present = seen.Volume is { } found && Children.OwnsVolume(seen.Workspace, found.Metadata)
            ? found.Spec?.Resources?.Requests?.GetValueOrDefault("storage") : null;
        return present is null || limit < Amounts.StorageOf(seen.Volume)
            ? blueprint with { Volume = null }
            : blueprint with
            {
                Volume = volume with
                {
                    Spec = volume.Spec! with
                    {
                        Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = present } },
                    },
                },
            };
    }

    /// <summary>Whether no pod may be made now.</summary>
    internal static bool Blocks(Observation seen) => !seen.Admission.MayRun;

    /// <summary>Whether it waits for its place, so that nothing of it failed.</summary>
    internal static bool Waits(Observation seen, PodPlan pod) =>
        pod.State == PodState.Blocked && seen.Admission.WaitsFor != WaitsFor.Nothing;

    /// <summary>The condition Admitted.</summary>
    internal static void Write(ConditionSet conditions, Observation seen, Blueprint blueprint, PodPlan pod)
    {
        const string type = ConditionTypes.Admitted;
        var workspace = seen.Workspace;
        var admission = seen.Admission;
        if (workspace.Spec.Administration is { Frozen: true } decided)
        {
            conditions.False(
                type,
                Reasons.Frozen,
                $"An administrator{Words.By(decided.By)} froze the workspace{Words.Why(decided.Reason)}. "
                + "It cannot be started, and nothing of it is lost. Ask an administrator to unfreeze it.");
        }
        else if (admission.WaitsFor != WaitsFor.Nothing)
        {
            conditions.False(type, admission.Position is null ? Reasons.ExceedsCeiling : Reasons.Queued, admission.Message!);
        }
        else if (pod.State != PodState.Absent && !AsksForNothing(blueprint, pod))
        {
            conditions.True(type, Reasons.Admitted, "No policy stands in its way.");
        }
        else if (workspace.Status?.Conditions?.FirstOrDefault(c => c.Type == type) is { Status: "True" })
        {
            // Still true, so that the time of its last turn is kept: it counts in the order of those who wait.
            conditions.True(type, Reasons.Stopped, "It had its place; whether there is one is found out at its next start.");
        }
        else if (pod.State == PodState.Absent)
        {
            conditions.Unknown(type, Reasons.Stopped, "The workspace is stopped. Its volume is kept.");
        }
        else
        {
            conditions.Unknown(type, Reasons.NotReady, "What it would run cannot be made yet; whether there is a place is found out then.");
        }
    }

    /// <summary>Whether a status says that the workspace has its place.</summary>
    internal static bool TellsOfAPlace(UserWorkspaceStatus? status) => status?.Conditions?.Any(
        c => c is { Type: ConditionTypes.Admitted, Status: "True", Reason: Reasons.Admitted }) == true;

    /// <summary>
    /// Whether there is nothing to run, such as without a template: then no place was asked for, and an operator that is started anew would
    /// take "admitted" for one that it has.
    /// </summary>
    private static bool AsksForNothing(Blueprint blueprint, PodPlan pod) => pod.State == PodState.Blocked && blueprint.Pod is null;

    /// <summary>Says of a volume that is there why it does not grow.</summary>
    internal static void WriteGrowth(ConditionSet conditions, Observation seen)
    {
        if (seen.Admission.StorageMessage is { } message && conditions.IsTrue(ConditionTypes.StorageReady))
        {
            conditions.True(ConditionTypes.StorageReady, Reasons.ExceedsCeiling, message);
        }
    }

    /// <summary>Tells that it waits, once.</summary>
    internal static IEnumerable<Note> Tell(UserWorkspaceStatus? former, UserWorkspaceStatus status) =>
        status.Queue is { } place && former?.Queue?.For != place.For
            ? [new Note(false, Reasons.Queued, place.Message ?? "It waits for its place.")]
            : [];

    /// <summary>The place in <c>status.queue</c>.</summary>
    internal static WorkspaceQueuePlace? Place(Observation seen) => seen.Admission is { WaitsFor: not WaitsFor.Nothing } admission
        ? new WorkspaceQueuePlace
        {
            For = admission.WaitsFor == WaitsFor.Create ? QueueReasons.Create : QueueReasons.Run,
            Position = admission.Position,
            Length = admission.Length,
            Since = admission.Since,
            Message = admission.Message,
        }
        : null;
}

/// <summary>Pieces of sentences.</summary>
internal static class Words
{
    internal static string By(string? who) => string.IsNullOrWhiteSpace(who) ? "" : $" ({who})";

    internal static string Why(string? why) => string.IsNullOrWhiteSpace(why) ? "" : $": {why.Trim().TrimEnd('.')}";
}
