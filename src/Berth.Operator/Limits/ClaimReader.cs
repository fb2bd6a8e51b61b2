using Berth.Resources;

namespace Berth.Operator;

/// <summary>Reads a workspace's claim from what the caches hold of it: nothing else is remembered over a restart.</summary>
internal static class ClaimReader
{
    /// <summary>The claim; null for a workspace that nobody can count, because its owner is no identity.</summary>
    internal static Claim? Read(Observation seen, Blueprint blueprint)
    {
        var workspace = seen.Workspace;
        if (blueprint.Url is null)
        {
            return null;
        }

        var owner = workspace.Spec.Owner;
        var status = workspace.Status;
        var admitted = status?.Conditions?.FirstOrDefault(c => c.Type == ConditionTypes.Admitted);
        var volume = seen.Volume is { } found && Children.OwnsVolume(workspace, found.Metadata) ? found : null;
        var stays = workspace.Metadata.DeletionTimestamp is null;
        var wants = stays && blueprint.Pod is not null && !AdministrationPlan.Halts(workspace)
            && workspace.Spec.DesiredState == DesiredStates.Running;
        return new Claim
        {
            Key = new(workspace.Metadata.Namespace ?? "", workspace.Metadata.Name!),
            Person = WorkspaceNames.OwnerHash(owner.Issuer, owner.Subject),
            Created = workspace.Metadata.CreationTimestamp ?? seen.Now,
            Since = status?.Queue?.Since,

            // Its status forgets it as soon as somebody freezes it.
            GrantedAt = admitted?.Status == "True" && workspace.Spec.Administration is not { Frozen: true }
                ? admitted.LastTransitionTime : null,
            WantsRun = wants,
            WantsVolume = stays && blueprint.Volume is not null,
            Occupied = Occupied(seen),
            Admitted = wants && admitted is { Status: "True", Reason: Reasons.Admitted },

            // Installations from before there were ceilings have no such condition: what is there stays.
            Established = admitted is null
                ? status?.Phase is not null && (volume is not null || seen.Pod is not null)
                : status?.Queue?.For != QueueReasons.Create,
            Demand = new Amounts(1, Amounts.StorageOf(blueprint.Volume), 0, 0, 0, 0)
                + (blueprint.Pod?.Spec is { } pod ? Amounts.Of(pod) : default),
            Volume = Amounts.StorageOf(volume),
        };
    }

    // Also one that ends, and one that an earlier workspace of the name left: their node is not free yet.
    private static Amounts? Occupied(Observation seen)
    {
        Amounts? sum = null;
        foreach (var pod in seen.SurplusPods.Prepend(seen.Pod))
        {
            if (pod?.Spec is { } spec
                && (Children.Owns(seen.Workspace, pod.Metadata) || Children.OwnedByFormer(seen.Workspace, pod.Metadata)))
            {
                sum = (sum ?? default) + Amounts.Of(spec);
            }
        }

        return sum is { } all ? all with { Running = 1 } : null;
    }
}
