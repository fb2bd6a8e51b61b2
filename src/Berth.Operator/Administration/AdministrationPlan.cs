using Berth.Resources;

namespace Berth.Operator;

/// <summary>What administrators decided about a workspace.</summary>
internal static class AdministrationPlan
{
    /// <summary>Whether it must not run, whatever its owner wishes.</summary>
    internal static bool Halts(UserWorkspace workspace) => workspace.Spec.Administration?.Frozen == true;

    /// <summary>The workspace as the rest of a decision should see it: one that is frozen is one that should be stopped.</summary>
    internal static Observation Apply(Observation seen) => Halts(seen.Workspace)
        ? seen with { Workspace = seen.Workspace with { Spec = seen.Workspace.Spec with { DesiredState = DesiredStates.Stopped } } }
        : seen;
}
