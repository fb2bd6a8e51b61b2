using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>The calls of the API.</summary>
internal sealed class ApiHandlers(
    WorkspaceService workspaces, HoldService holds, WorkspaceInsight insight, WorkspaceTable table, WorkspaceOptions options,
    EdgeOptions edge, LiveStream live, AccountHandlers accounts, AuditHandlers audit, TokenHandlers tokens, RequestHandlers requests,
    PeopleHandlers people, OpenConnections connections, BodyBytes bytes, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    private readonly WorkspaceUrls _urls = edge.ToUrls();

    /// <summary>The calls about accounts.</summary>
    public AccountHandlers Accounts => accounts;

    /// <summary>The calls about the audit log.</summary>
    public AuditHandlers Audit => audit;

    /// <summary>The calls about personal access tokens.</summary>
    public TokenHandlers Tokens => tokens;

    /// <summary>The calls about people.</summary>
    public PeopleHandlers People => people;

    /// <summary>The calls about requests.</summary>
    public RequestHandlers Requests => requests;

    public Task GetMeAsync(HttpContext context, Caller caller) => WriteAsync(context, 200, EdgeJson.Default.PersonView, new PersonView
    {
        Issuer = caller.Issuer,
        Subject = caller.Subject,
        Email = caller.Email,
        Name = caller.Name,
        Administrator = caller.IsAdministrator,
        AuthenticatedBy = caller.Kind == CallerKind.Bearer ? "bearer" : "session",
        ExpiresAt = caller.ExpiresAt,
        DefaultWorkspace = WorkspaceNames.ForOwner(caller.Issuer, caller.Subject),
        MaximumWorkspaces = options.MaximumPerPerson,
    });

    public Task ListTemplatesAsync(HttpContext context, Caller caller) => WriteAsync(context, 200, EdgeJson.Default.TemplateListView,
        new TemplateListView([.. workspaces.Templates().Select(t => TemplateView.From(t, options.DefaultTemplate))]));

    public Task ListAsync(HttpContext context, Caller caller)
    {
        var found = ApiRequest.Flag(context, "all") ? workspaces.ListAll(caller) : workspaces.List(caller);
        return WriteAsync(context, 200, EdgeJson.Default.WorkspaceListView, new WorkspaceListView([.. found.Select(View)]));
    }

    public async Task CreateAsync(HttpContext context, Caller caller)
    {
        var wish = await ApiRequest.ReadAsync(context, EdgeJson.Default.CreateWorkspace, static () => new CreateWorkspace())
            .ConfigureAwait(false);
        UserWorkspace workspace;
        var created = true;
        if (wish == new CreateWorkspace())
        {
            (workspace, created) = await workspaces.EnsureDefaultAsync(caller, context.RequestAborted).ConfigureAwait(false);
        }
        else
        {
            workspace = await workspaces.CreateAsync(caller, wish, context.RequestAborted).ConfigureAwait(false);
        }

        if (created)
        {
            context.Response.Headers.Location = $"/api/workspaces/{workspace.Metadata.Name}";
        }

        await WriteAsync(context, created ? 201 : 200, workspace).ConfigureAwait(false);
    }

    public Task GetAsync(HttpContext context, Caller caller)
    {
        var workspace = workspaces.Get(caller, Name(context));
        if (context.Request.Headers.IfNoneMatch == ETag(workspace))
        {
            context.Response.StatusCode = 304;
            context.Response.Headers.ETag = ETag(workspace);
            return Task.CompletedTask;
        }

        return WriteAsync(context, 200, workspace);
    }

    public async Task ChangeAsync(HttpContext context, Caller caller)
    {
        workspaces.Get(caller, Name(context));
        var changes = await ApiRequest.ReadObjectAsync(context, "application/merge-patch+json").ConfigureAwait(false);
        await WriteAsync(context, 200, await workspaces.ChangeAsync(caller, Name(context), changes, ApiRequest.IfMatch(context),
            context.RequestAborted)
            .ConfigureAwait(false)).ConfigureAwait(false);
    }

    public async Task DeleteAsync(HttpContext context, Caller caller)
    {
        await workspaces.DeleteAsync(caller, Name(context), ApiRequest.IfMatch(context), context.RequestAborted).ConfigureAwait(false);

        // Accepted, not done: the operator still ends the pod.
        context.Response.StatusCode = 202;
    }

    public async Task StartAsync(HttpContext context, Caller caller) => await WriteAsync(context, 202,
        await workspaces.StartAsync(caller, Name(context), ApiRequest.IfMatch(context), context.RequestAborted).ConfigureAwait(false))
            .ConfigureAwait(false);

    public async Task StopAsync(HttpContext context, Caller caller) => await WriteAsync(context, 202,
        await workspaces.StopAsync(caller, Name(context), ApiRequest.IfMatch(context), context.RequestAborted).ConfigureAwait(false))
            .ConfigureAwait(false);

    public async Task RestartAsync(HttpContext context, Caller caller) => await WriteAsync(context, 202,
        await workspaces.RestartAsync(caller, Name(context), ApiRequest.IfMatch(context), context.RequestAborted).ConfigureAwait(false))
            .ConfigureAwait(false);

    public async Task PutHoldAsync(HttpContext context, Caller caller)
    {
        workspaces.Get(caller, Name(context));
        var wish = await ApiRequest.ReadAsync(context, EdgeJson.Default.HoldWish, static () => new HoldWish()).ConfigureAwait(false);
        await WriteAsync(context, await holds.PutAsync(caller, Name(context), Hold(context), wish, ApiRequest.IfMatch(context),
            context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    public async Task DeleteHoldAsync(HttpContext context, Caller caller) => await WriteAsync(context,
        await holds.DeleteAsync(caller, Name(context), Hold(context), ApiRequest.IfMatch(context), context.RequestAborted)
            .ConfigureAwait(false)).ConfigureAwait(false);

    public async Task KeepAsync(HttpContext context, Caller caller)
    {
        workspaces.Get(caller, Name(context));
        var wish = await ApiRequest.ReadAsync(context, EdgeJson.Default.HoldWish, static () => new HoldWish()).ConfigureAwait(false);
        await WriteAsync(context, await holds.KeepAsync(caller, Name(context), wish, ApiRequest.IfMatch(context), context.RequestAborted)
            .ConfigureAwait(false)).ConfigureAwait(false);
    }

    public async Task UnkeepAsync(HttpContext context, Caller caller) => await WriteAsync(context,
        await holds.UnkeepAsync(caller, Name(context), ApiRequest.IfMatch(context), context.RequestAborted).ConfigureAwait(false))
            .ConfigureAwait(false);

    public async Task EventsAsync(HttpContext context, Caller caller)
    {
        var events = await insight.EventsAsync(caller, Name(context), context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, 200, EdgeJson.Default.EventListView, new EventListView([.. events.Select(EventView.From)]))
            .ConfigureAwait(false);
    }

    public async Task LogsAsync(HttpContext context, Caller caller)
    {
        var follow = ApiRequest.Flag(context, "follow");
        var access = table.TryFindByHost(_urls.Host(Name(context)), out var entry)
            && Authorizer.Decide(caller, entry, AccessRequest.Page, clock.GetUtcNow()).Role is { } role
            ? new WorkspaceAccess(entry, caller, role) : null;
        using var open = connections.Add(caller, caller.ExpiresAt, access, AccessRequest.Page, follow);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, lifetime.ApplicationStopping, open.Token);
        await using var log = await insight.OpenLogAsync(
            caller, Name(context), follow, ApiRequest.Number(context, "tail", 0, 10_000), ApiRequest.Flag(context, "previous"),
                ending.Token).ConfigureAwait(false);
        context.Response.ContentType = "text/plain; charset=utf-8";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        bytes.CountAnswer(context);
        await context.Response.Body.FlushAsync(ending.Token).ConfigureAwait(false);
        await CopyAsync(log, context.Response.Body, ending.Token).ConfigureAwait(false);
    }

    /// <summary>The caller's workspaces, at once and after each change.</summary>
    public Task WatchAsync(HttpContext context, Caller caller)
    {
        var prefix = WorkspaceNames.ForOwner(caller.Issuer, caller.Subject);
        return live.RunAsync(context, caller, n => n.StartsWith(prefix, StringComparison.Ordinal), () => new LiveEvent(
            "workspaces", JsonSerializer.Serialize(new WorkspaceListView([.. workspaces.List(caller).Select(View)]),
                EdgeJson.Default.WorkspaceListView)));
    }

    private static async Task CopyAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);

                // Somebody watches this: a line is worth more now than with the next ones.
                await to.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or HttpRequestException)
        {
            // Either side ended; what was there has been sent.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string Name(HttpContext context) => (string)context.Request.RouteValues["name"]!;

    private static string Hold(HttpContext context) => (string)context.Request.RouteValues["hold"]!;

    private static string ETag(UserWorkspace workspace) => $"\"{workspace.Metadata.ResourceVersion}\"";

    private WorkspaceView View(UserWorkspace workspace) => WorkspaceView.From(workspace, table, _urls);

    private Task WriteAsync(HttpContext context, int status, UserWorkspace workspace)
    {
        context.Response.Headers.ETag = ETag(workspace);
        return WriteAsync(context, status, EdgeJson.Default.WorkspaceView, View(workspace));
    }

    private Task WriteAsync(HttpContext context, (UserWorkspace Workspace, string? Notice) changed)
    {
        context.Response.Headers.ETag = ETag(changed.Workspace);
        return WriteAsync(context, 200, EdgeJson.Default.WorkspaceView, View(changed.Workspace) with { Notice = changed.Notice });
    }

    private static async Task WriteAsync<T>(HttpContext context, int status, JsonTypeInfo<T> type, T value)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await StatedBody.WriteAsync(context, value, type).ConfigureAwait(false);
    }
}
