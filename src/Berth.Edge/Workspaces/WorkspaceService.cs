using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>
/// Everything that can be done with workspaces, for API, pages and progress alike. Whoever calls it has authenticated the caller; who may
/// do what is decided here: owners and administrators, for everybody else a workspace does not exist.
/// </summary>
/// <exception cref="ProblemException">From every method: why it cannot be done, in words.</exception>
internal sealed partial class WorkspaceService(
    IKubeClient client, WorkspaceWatch watch, WorkspaceOptions options, WorkspaceDefaults defaults, PersonalEnvironment environment,
        TimeProvider clock, AuditTrail audit, ILogger<WorkspaceService> logger)
{
    /// <summary>The caller's own workspaces, the default one first.</summary>
    public IReadOnlyList<UserWorkspace> List(Caller caller) => watch.OwnedBy(caller.Issuer, caller.Subject);

    /// <summary>All workspaces.</summary>
    public IReadOnlyList<UserWorkspace> ListAll(Caller caller) => caller.IsAdministrator
        ? watch.All()
        : throw StepUpRequired.For(caller) ?? new ProblemException(403, "administrators-only", "For administrators only",
            "Only administrators may list the workspaces of everybody; leave out 'all'.");

    /// <summary>One workspace that the caller may manage.</summary>
    public UserWorkspace Get(Caller caller, string name)
    {
        var workspace = WorkspaceNames.IsValid(name) ? watch.Find(name) : null;
        return workspace is not null && MayManage(caller, workspace) ? workspace
            : throw (workspace is null ? null : StepUpRequired.For(caller)) ?? ProblemException.NotFound(name);
    }

    /// <summary>Whether the caller is the owner or an administrator.</summary>
    public static bool MayManage(Caller caller, UserWorkspace workspace) => IsOwner(caller, workspace) || caller.IsAdministrator;

    /// <summary>Templates to choose from.</summary>
    public IReadOnlyList<WorkspaceTemplate> Templates() => watch.Templates();

    /// <summary>
    /// The caller's default workspace; made if it is not there. Two replicas that are asked at once end with one and the same.
    /// </summary>
    public async Task<(UserWorkspace Workspace, bool Created)> EnsureDefaultAsync(Caller caller, CancellationToken cancellationToken)
    {
        var name = WorkspaceNames.ForOwner(caller.Issuer, caller.Subject);
        if (watch.Find(name) is { } known && IsOwner(caller, known))
        {
            return (known, false);
        }

        try
        {
            return (await CreateAsync(caller, name, new CreateWorkspace(), RequestedBy.Edge, RequestReasons.Visit, cancellationToken)
                .ConfigureAwait(false), true);
        }
        catch (ProblemException problem) when (problem.Reason == "workspace-exists")
        {
            // Another replica, or another tab, was faster; or this replica's watch lags behind.
            var found = await ReadAsync(name, cancellationToken).ConfigureAwait(false);
            if (!IsOwner(caller, found))
            {
                LogForeignOwner(name);
                throw new ProblemException(409, "name-clash", "The name of your workspace is taken",
                    $"There is a workspace '{name}' that belongs to somebody else. An administrator has to remove it.");
            }

            await watch.WaitUntilSeenAsync(name, w => w is not null, cancellationToken).ConfigureAwait(false);
            return (found, false);
        }
    }

    /// <summary>Creates a workspace for the caller.</summary>
    public async Task<UserWorkspace> CreateAsync(Caller caller, CreateWorkspace wish, CancellationToken cancellationToken)
    {
        var slug = wish.Name ?? WorkspaceNames.Slugify(wish.DisplayName);
        if (wish.Name is not null && !WorkspaceNames.IsSlug(slug))
        {
            throw ProblemException.Invalid("name", "use 1 to 40 lower-case letters, digits and single dashes, with no dash at either end.");
        }

        if (slug is null && wish.DisplayName is not null)
        {
            throw ProblemException.Invalid("displayName", "has no letter or digit that a name can be made of; give a name as well.");
        }

        var name = slug is null ? WorkspaceNames.ForOwner(caller.Issuer, caller.Subject)
            : WorkspaceNames.ForOwner(caller.Issuer, caller.Subject, slug);
        if (watch.Find(name) is not null)
        {
            throw new ProblemException(409, "workspace-exists", "The name is taken",
                $"You already have a workspace named '{name}'. Choose another name.");
        }

        if (List(caller).Count is var count && count >= options.MaximumPerPerson)
        {
            throw new ProblemException(409, "too-many-workspaces", "You have as many workspaces as you may",
                $"You have {count} workspaces and may have {options.MaximumPerPerson}. Delete one you no longer need.");
        }

        return await CreateAsync(caller, name, wish, RequestedBy.User, RequestReasons.Manual, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Wants it to run.</summary>
    public Task<UserWorkspace> StartAsync(Caller caller, string name, string? version, CancellationToken cancellationToken) =>
        RequestAsync(caller, name, "start", DesiredStates.Running, restart: false, version, cancellationToken);

    /// <summary>Wants it to be stopped; the volume stays.</summary>
    public Task<UserWorkspace> StopAsync(Caller caller, string name, string? version, CancellationToken cancellationToken) =>
        RequestAsync(caller, name, "stop", DesiredStates.Stopped, restart: false, version, cancellationToken);

    /// <summary>Wants a new pod; also ends the wait for the next attempt of one that failed, and starts one that is stopped.</summary>
    public Task<UserWorkspace> RestartAsync(Caller caller, string name, string? version, CancellationToken cancellationToken) =>
        RequestAsync(caller, name, "restart", DesiredStates.Running, restart: true, version, cancellationToken);

    /// <summary>Starts a stopped workspace because somebody who may use it came. Somebody else may be faster; that is fine.</summary>
    public async Task WakeAsync(Caller caller, UserWorkspace workspace, CancellationToken cancellationToken)
    {
        if (workspace.Spec.DesiredState == DesiredStates.Running || workspace.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var name = workspace.Metadata.Name!;
        var patch = WorkspacePatches.Request(DesiredStates.Running, RequestedBy.Edge, RequestReasons.Visit, restart: false,
            clock.GetUtcNow());

        // With the version that was looked at: a stop that was asked for meanwhile is not undone by a page that was opened before.
        WorkspacePatches.ForVersion(patch, workspace.Metadata.ResourceVersion);
        await environment.StartWithAsync(patch, workspace, workspace.Metadata.ResourceVersion, cancellationToken).ConfigureAwait(false);
        try
        {
            var written = await PatchAsync(name, patch, cancellationToken).ConfigureAwait(false);
            audit.Record(caller, "workspace.wake", $"workspaces/{name}", "allowed");
            await watch.WaitUntilSeenAsync(name, w => WorkspaceWatch.IsAtLeast(w, written), cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException problem) when (problem.Reason == "workspace-changed")
        {
        }
    }

    /// <summary>Deletes a workspace. What becomes of its volume is the workspace's own setting.</summary>
    public async Task DeleteAsync(Caller caller, string name, string? version, CancellationToken cancellationToken)
    {
        var workspace = Get(caller, name);
        try
        {
            await client.DeleteAsync<UserWorkspace>(
                options.Namespace, name, new DeleteOptions { Uid = workspace.Metadata.Uid, ResourceVersion = version }, cancellationToken)
                    .ConfigureAwait(false);
        }
        catch (KubeException error)
        {
            throw Refused(caller, "delete", name, error);
        }

        audit.Record(caller, "workspace.delete", $"workspaces/{name}", "allowed");
        await watch.WaitUntilSeenAsync(
            name, w => w is null || w.Metadata.DeletionTimestamp is not null || w.Metadata.Uid != workspace.Metadata.Uid,
                cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes parameters, resources and the name for people. A merge (RFC 7396): what is absent stays, null removes.</summary>
    /// <param name="caller">Who.</param>
    /// <param name="name">The workspace.</param>
    /// <param name="changes">An object with displayName, parameters, resources; already checked to have nothing else.</param>
    /// <param name="version">The version the change was made for; null for any.</param>
    /// <param name="cancellationToken">The request's.</param>
    public async Task<UserWorkspace> ChangeAsync(Caller caller, string name, JsonObject changes, string? version,
        CancellationToken cancellationToken)
    {
        var workspace = Get(caller, name);
        var patch = WorkspaceChanges.ToPatch(workspace, watch.Template(workspace.Spec.Template.Name), changes);
        WorkspacePatches.ForVersion(patch, version);
        return await WriteAsync(caller, "change", name, patch, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>It goes and cannot be changed any more.</summary>
    public static ProblemException BeingDeleted(string name) => new(409, "workspace-deleted", "The workspace is being deleted",
        $"'{name}' is being deleted and cannot be changed any more.");

    private static bool IsOwner(Caller caller, UserWorkspace workspace) =>
        workspace.Spec.Owner.Issuer == caller.Issuer && workspace.Spec.Owner.Subject == caller.Subject;

    private async Task<UserWorkspace> CreateAsync(
        Caller caller, string name, CreateWorkspace wish, string by, string reason, CancellationToken cancellationToken)
    {
        (wish, var variables) = await defaults.ApplyAsync(caller, wish, cancellationToken).ConfigureAwait(false);
        var workspace = NewWorkspace.Make(caller, name, wish, variables, watch, options,
            new WorkspaceRequest { By = by, Reason = reason, At = clock.GetUtcNow() });
        UserWorkspace created;
        try
        {
            created = await client.CreateAsync(workspace, new WriteOptions { FieldManager = "berth-edge" }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (KubeException error)
        {
            throw Refused(caller, "create", name, error);
        }

        audit.Record(caller, "workspace.create", $"workspaces/{name}", "allowed");
        LogCreated(name, workspace.Spec.Template.Name);
        await watch.WaitUntilSeenAsync(name, w => w is not null, cancellationToken).ConfigureAwait(false);
        return created;
    }

    private async Task<UserWorkspace> RequestAsync(
        Caller caller, string name, string verb, string desired, bool restart, string? version, CancellationToken cancellationToken)
    {
        var workspace = Get(caller, name);
        if (workspace.Metadata.DeletionTimestamp is not null)
        {
            throw BeingDeleted(name);
        }

        // Asking for what is already so changes nothing: a double click must not look like a new request.
        if (!restart && version is null && workspace.Spec.DesiredState == desired)
        {
            return workspace;
        }

        var by = IsOwner(caller, workspace) ? RequestedBy.User : RequestedBy.Admin;
        var patch = WorkspacePatches.Request(desired, by, RequestReasons.Manual, restart, clock.GetUtcNow());
        if (desired == DesiredStates.Running)
        {
            await environment.StartWithAsync(patch, workspace, version, cancellationToken).ConfigureAwait(false);
        }

        WorkspacePatches.ForVersion(patch, version);
        return await WriteAsync(caller, verb, name, patch, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a change that the caller may make, notes it in the audit log, and waits until this replica has seen it.</summary>
    public async Task<UserWorkspace> WriteAsync(Caller caller, string verb, string name, JsonObject patch,
        CancellationToken cancellationToken)
    {
        UserWorkspace written;
        try
        {
            written = await PatchAsync(name, patch, cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException problem)
        {
            audit.Record(caller, $"workspace.{verb}", $"workspaces/{name}", problem.Status >= 500 ? "failed" : "refused");
            throw;
        }

        audit.Record(caller, $"workspace.{verb}", $"workspaces/{name}", "allowed");
        await watch.WaitUntilSeenAsync(name, w => WorkspaceWatch.IsAtLeast(w, written), cancellationToken).ConfigureAwait(false);
        return written;
    }

    private async Task<UserWorkspace> PatchAsync(string name, JsonObject patch, CancellationToken cancellationToken)
    {
        try
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(patch, EdgeJson.Default.JsonObject);
            return await client.PatchAsync<UserWorkspace>(
                options.Namespace, name, KubePatch.Merge(body), new WriteOptions { FieldManager = "berth-edge" }, cancellationToken)
                    .ConfigureAwait(false);
        }
        catch (KubeException error)
        {
            throw KubeProblems.From(error, name);
        }
    }

    /// <summary>The workspace as the API has it now; who may see it was decided before.</summary>
    public async Task<UserWorkspace> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetAsync<UserWorkspace>(options.Namespace, name, cancellationToken).ConfigureAwait(false);
        }
        catch (KubeException error)
        {
            throw KubeProblems.From(error, name);
        }
    }

    private ProblemException Refused(Caller caller, string verb, string name, KubeException error)
    {
        var problem = KubeProblems.From(error, name);
        if (problem.Reason != "workspace-exists")
        {
            audit.Record(caller, $"workspace.{verb}", $"workspaces/{name}", problem.Status >= 500 ? "failed" : "refused");
            LogRefused(verb, name, error.Code, error.Message);
        }

        return problem;
    }

    [LoggerMessage(5110, LogLevel.Information, "Workspace {Name} created from template {Template}.")]
    private partial void LogCreated(string name, string template);

    [LoggerMessage(5111, LogLevel.Error, "Workspace {Name} exists and belongs to somebody else than its name says.")]
    private partial void LogForeignOwner(string name);

    [LoggerMessage(5112, LogLevel.Warning, "The cluster refused to {Verb} workspace {Name} ({Code}): {Reason}")]
    private partial void LogRefused(string verb, string name, int code, string reason);
}
