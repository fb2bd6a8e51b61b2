using Berth.Resources;

namespace Berth.Edge;

/// <summary>What people see on a workspace's own address until it is ready.</summary>
internal sealed class ProgressPage(
    PageLayout layout, WorkspaceWatch watch, WorkspaceService workspaces, WorkspaceTable table, LiveStream live, EdgeOptions edge)
    : IProgressPage
{
    private readonly WorkspaceUrls _urls = edge.ToUrls();

    /// <inheritdoc/>
    public async Task ShowAsync(HttpContext context, WorkspaceAccess access)
    {
        if (watch.Find(access.Workspace.Name) is { } workspace && Wakes(context, access))
        {
            try
            {
                await workspaces.WakeAsync(access.Caller, workspace, context.RequestAborted).ConfigureAwait(false);
            }
            catch (ProblemException problem)
            {
                // The page says how it stands and has the button; the reason is worth more than a blank error.
                await WriteAsync(context, access, problem.Message).ConfigureAwait(false);
                return;
            }
        }

        await WriteAsync(context, access, null).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<bool> TryHandleReservedPathAsync(HttpContext context, WorkspaceAccess access)
    {
        switch (context.GetCanonical().Path, context.Request.Method)
        {
            case ("/.berth/progress", "GET"):
                await live.RunAsync(context, access.Caller, n => n == access.Workspace.Name, () => Event(access), access)
                    .ConfigureAwait(false);
                return true;
            case ("/.berth/start", "POST"):
                await StartAsync(context, access).ConfigureAwait(false);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The part of the page that changes.</summary>
    internal static Html Render(ProgressView view, bool mayStart, string returnPath, string prefix = "") => Html.Of($"""
        <h1>{view.Title}</h1>
        {Problem(view)}
        {(view.Remedy is null ? Html.Empty : Html.Of($"<p>{view.Remedy}</p>"))}
        {(view.StepList.IsEmpty ? Html.Empty : Html.Of($"<ol class=\"steps\">{Html.Join(view.StepList.Select(Step))}</ol>"))}
        {Button(view, mayStart, returnPath, prefix)}
        """);

    private static Html Problem(ProgressView view)
    {
        var (style, role) = view.IsFailure ? ("notice bad", "alert") : ("notice", "status");
        return view.Problem is null ? Html.Empty : Html.Of($"<div class=\"{style}\" role=\"{role}\"><p>{view.Problem}</p></div>");
    }

    private static Html Step(ProgressStep step)
    {
        var (kind, said) = step.State switch
        {
            StepState.Done => ("done", "done"),
            StepState.Active => ("active", "in progress"),
            StepState.Failed => ("failed", "failed"),
            _ => ("waiting", "not yet"),
        };
        return Html.Of($"<li class=\"{kind}\"><span class=\"mark\" role=\"img\" "
            + $"aria-label=\"{said}\"></span><span>{step.Title}<small>{step.Detail}</small></span></li>");
    }

    private static Html Button(ProgressView view, bool mayStart, string returnPath, string prefix)
    {
        if (view.Action == ProgressAction.None || !mayStart)
        {
            return Html.Empty;
        }

        var label = view.Action == ProgressAction.Retry ? "Try again" : "Start it";
        return Html.Of($"<form class=\"actions\" method=\"post\" action=\"{prefix}/.berth/start\"><input type=\"hidden\" name=\"return\" "
            + $"value=\"{returnPath}\"><button id=\"start\" class=\"primary\">{label}</button></form>");
    }

    // Somebody opens the workspace. Not a link checker's HEAD, not a browser that fetches ahead, not a person who may only look.
    private static bool Wakes(HttpContext context, WorkspaceAccess access) =>
        HttpMethods.IsGet(context.Request.Method)
        && !context.Request.Headers["Sec-Purpose"].ToString().Contains("prefetch", StringComparison.OrdinalIgnoreCase)
        && context.GetCanonical().IsNavigation
        && access.Role is "owner" or "use";

    private static bool MayStart(WorkspaceAccess access) => access.Role is "owner" or "use" or "admin";

    // Somebody the workspace is shared with would only be told that there is no such page.
    private Html More(WorkspaceAccess access) => access.Role is "owner" or "admin"
        ? Html.Of($"<a href=\"{edge.PublicOrigin}/dashboard/{access.Workspace.Name}\">What happened, and the log</a>")
        : Html.Empty;

    private LiveEvent Event(WorkspaceAccess access)
    {
        var view = Look(access);
        return view.IsReady ? new LiveEvent("ready", "", IsLast: true)
            : view.IsGone ? new LiveEvent("gone", "", IsLast: true)
            : new LiveEvent("update", Render(view, MayStart(access), "/", _urls.Prefix(access.Workspace.Name)).ToString());
    }

    private ProgressView Look(WorkspaceAccess access)
    {
        table.TryFindByHost(_urls.Host(access.Workspace.Name), out var entry);
        return ProgressView.From(watch.Find(access.Workspace.Name), entry?.IsReady == true);
    }

    private async Task StartAsync(HttpContext context, WorkspaceAccess access)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false)
            : null;
        var workspace = watch.Find(access.Workspace.Name);
        try
        {
            if (workspace is null || !MayStart(access))
            {
                throw ProblemException.NotFound(access.Workspace.Name);
            }

            if (!WorkspaceService.MayManage(access.Caller, workspace))
            {
                await workspaces.WakeAsync(access.Caller, workspace, context.RequestAborted).ConfigureAwait(false);
            }
            else if (workspace.Spec.DesiredState == DesiredStates.Running)
            {
                await workspaces.RestartAsync(access.Caller, access.Workspace.Name, null, context.RequestAborted).ConfigureAwait(false);
            }
            else
            {
                await workspaces.StartAsync(access.Caller, access.Workspace.Name, null, context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (ProblemException problem)
        {
            await WriteAsync(context, access, problem.Message).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = _urls.Prefix(access.Workspace.Name)
            + ReturnTargets.CleanWorkspacePath(form?["return"].ToString());
    }

    private Task WriteAsync(HttpContext context, WorkspaceAccess access, string? notice)
    {
        var view = Look(access);
        var canonical = context.GetCanonical();
        var path = HttpMethods.IsPost(context.Request.Method) ? "/" : ReturnTargets.CleanWorkspacePath(canonical.Path + canonical.Query);
        return layout.WriteAsync(context, new Page
        {
            Title = view.Title,
            Kind = "progress",
            NeedsScript = true,
            RefreshSeconds = 3,
            Body = Html.Of($"""
                {(notice is null ? Html.Empty : Html.Of($"<div class=\"notice bad\" role=\"alert\"><p>{notice}</p></div>"))}
                <article class="card" data-live="{canonical.Prefix}/.berth/progress" aria-live="polite">
                {Render(view, MayStart(access), path, canonical.Prefix)}</article>
                <p class="small quiet">This page goes on to the workspace by itself as soon as it is ready. {More(access)}</p>
                """),
        });
    }
}
