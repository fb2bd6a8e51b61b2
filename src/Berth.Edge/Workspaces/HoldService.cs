using Berth.Resources;

namespace Berth.Edge;

/// <summary>Keeps workspaces running for a while, because a person or a program asks for it. Asking is itself a use.</summary>
internal sealed class HoldService(WorkspaceService workspaces, PolicyReader policy, ActivityTable activity, TimeProvider clock)
{
    // Holds are one list: what two programs add at once must not replace each other.
    private const int Tries = 5;

    /// <summary>Adds or replaces a hold.</summary>
    public Task<(UserWorkspace Workspace, string? Notice)> PutAsync(Caller caller, string name, string hold, HoldWish wish, string? version,
        CancellationToken cancellationToken) =>
        ChangeAsync(caller, "hold", name, version, w => HoldPlan.Put(w, hold, wish, policy.Lifetime, clock.GetUtcNow()), isUse: true,
            cancellationToken);

    /// <summary>Takes a hold away.</summary>
    public Task<(UserWorkspace Workspace, string? Notice)> DeleteAsync(Caller caller, string name, string hold, string? version,
        CancellationToken cancellationToken) =>
        ChangeAsync(caller, "release", name, version, w => HoldPlan.Delete(w, hold, clock.GetUtcNow()), isUse: false, cancellationToken);

    /// <summary>Keeps it running until a time.</summary>
    public Task<(UserWorkspace Workspace, string? Notice)> KeepAsync(Caller caller, string name, HoldWish wish, string? version,
        CancellationToken cancellationToken) =>
        ChangeAsync(caller, "keep", name, version, w => HoldPlan.Keep(w, wish, policy.Lifetime, clock.GetUtcNow()), isUse: true,
            cancellationToken);

    /// <summary>Takes "keep" back.</summary>
    public Task<(UserWorkspace Workspace, string? Notice)> UnkeepAsync(Caller caller, string name, string? version,
        CancellationToken cancellationToken) =>
        ChangeAsync(caller, "unkeep", name, version, _ => HoldPlan.Unkeep(), isUse: false, cancellationToken);

    private async Task<(UserWorkspace Workspace, string? Notice)> ChangeAsync(
        Caller caller, string verb, string name, string? version, Func<UserWorkspace, HoldChange> plan, bool isUse,
        CancellationToken cancellationToken)
    {
        var workspace = workspaces.Get(caller, name);
        for (var attempt = 1; ; attempt++)
        {
            if (workspace.Metadata.DeletionTimestamp is not null)
            {
                throw WorkspaceService.BeingDeleted(name);
            }

            var change = plan(workspace);
            WorkspacePatches.ForVersion(change.Patch, version ?? workspace.Metadata.ResourceVersion);
            try
            {
                var written = await workspaces.WriteAsync(caller, verb, name, change.Patch, cancellationToken).ConfigureAwait(false);
                if (isUse)
                {
                    activity.Of(name).Touch(UseSource.Hold, clock.GetUtcNow());
                }

                return (written, change.Notice);
            }
            catch (ProblemException problem) when (problem.Reason == "workspace-changed" && version is null && attempt < Tries)
            {
                workspace = await workspaces.ReadAsync(name, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
