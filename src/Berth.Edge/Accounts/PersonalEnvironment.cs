using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;

namespace Berth.Edge;

/// <summary>Keeps <c>spec.environment</c> of workspaces what their owners prefer: when preferences change, and at each start.</summary>
/// <remarks>
/// Flow: a workspace is looked at, then the preferences are read, then the patch is written for the version that was looked at. Two
/// replicas that do so at once cannot leave the older preferences behind: whoever read them before a change looked at the workspace before
/// the other's patch, and gets a conflict. What cannot be written when preferences change is written at the next start.
/// </remarks>
internal sealed partial class PersonalEnvironment(
    IKubeClient client, WorkspaceWatch watch, WorkspaceOptions options, PreferenceReader preferences, ILogger<PersonalEnvironment> logger)
{
    // The operator writes the status of a workspace that starts a few times a second; after so many it is for the next start.
    private const int MaximumTries = 6;

    /// <summary>Brings all workspaces of a person up to date; never fails.</summary>
    public async Task SpreadAsync(Caller caller, CancellationToken cancellationToken)
    {
        foreach (var workspace in watch.OwnedBy(caller.Issuer, caller.Subject))
        {
            await RefreshAsync(workspace, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Brings one workspace up to date; never fails.</summary>
    /// <param name="workspace">The workspace as the watch has it; one that is out of date is read anew.</param>
    /// <param name="cancellationToken">The request's.</param>
    public async Task RefreshAsync(UserWorkspace workspace, CancellationToken cancellationToken)
    {
        var name = workspace.Metadata.Name!;
        try
        {
            for (var attempt = 1; workspace.Metadata.DeletionTimestamp is null; attempt++)
            {
                var patch = new JsonObject();
                if (!await AddToAsync(patch, workspace, cancellationToken).ConfigureAwait(false))
                {
                    return;
                }

                WorkspacePatches.ForVersion(patch, workspace.Metadata.ResourceVersion);
                try
                {
                    await client.PatchAsync<UserWorkspace>(
                        options.Namespace, name, KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(patch, EdgeJson.Default.JsonObject)),
                        new WriteOptions { FieldManager = "berth-edge" }, cancellationToken).ConfigureAwait(false);
                    return;
                }
                catch (KubeException error) when (error.IsConflict && attempt < MaximumTries)
                {
                    workspace = await client.GetAsync<UserWorkspace>(options.Namespace, name, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (KubeException error)
        {
            LogNotWritten(name, error.Code, error.Message);
        }
    }

    /// <summary>Sees to it that a workspace starts with what its owner prefers.</summary>
    /// <param name="patch">The merge patch that starts it.</param>
    /// <param name="workspace">The workspace, looked at before this is called.</param>
    /// <param name="version">
    /// The version that the patch is for: it is added to, since a write before it would make it fail. Null: any.
    /// </param>
    /// <param name="cancellationToken">The request's.</param>
    public Task StartWithAsync(JsonObject patch, UserWorkspace workspace, string? version, CancellationToken cancellationToken) =>
        version is null ? RefreshAsync(workspace, cancellationToken) : AddToAsync(patch, workspace, cancellationToken);

    private async Task<bool> AddToAsync(JsonObject patch, UserWorkspace workspace, CancellationToken cancellationToken)
    {
        var owner = workspace.Spec.Owner;
        var preferred = await preferences.TryReadAsync(owner.Issuer, owner.Subject, cancellationToken).ConfigureAwait(false);
        return preferred is not null && EnvironmentChange.AddTo(patch, workspace, preferred);
    }

    [LoggerMessage(5521, LogLevel.Warning,
        "The variables of its owner could not be written to workspace {Name} ({Code}), it gets them when it starts: {Reason}")]
    private partial void LogNotWritten(string name, int code, string reason);
}
