using Berth.Resources;

namespace Berth.Edge;

/// <summary>Pages for people who are signed in. Everything essential is a link or a form; the script only saves reloading.</summary>
internal sealed class DashboardPages(
    PageLayout layout, WorkspaceService workspaces, HoldService holds, WorkspaceInsight insight, WorkspaceTable table,
    WorkspaceOptions options, EdgeOptions edge, CsrfTokens csrf, LiveStream live, BodyBytes bytes, TimeProvider clock)
{
    private const string NoLog = "The log is shown here when the program runs. Without JavaScript, open it as plain text.";

    private readonly WorkspaceUrls _urls = edge.ToUrls();

    /// <summary>Where a sign-in ends: the person's default workspace, made if it is not there.</summary>
    public async Task StartAsync(HttpContext context, Caller caller)
    {
        // Somebody who deleted the default one and has others decides on the dashboard.
        var own = workspaces.List(caller);
        var name = WorkspaceNames.ForOwner(caller.Issuer, caller.Subject);
        if (own.Count > 0 && own.All(w => w.Metadata.Name != name))
        {
            context.Response.Redirect("/dashboard");
            return;
        }

        var (workspace, _) = await workspaces.EnsureDefaultAsync(caller, context.RequestAborted).ConfigureAwait(false);
        context.Response.Redirect(_urls.Url(workspace.Metadata.Name!) + "/");
    }

    /// <summary>The list of one's workspaces.</summary>
    public Task ListAsync(HttpContext context, Caller caller) => ListAsync(context, caller, null);

    /// <summary>The list, kept up to date.</summary>
    public Task EventsAsync(HttpContext context, Caller caller)
    {
        var prefix = WorkspaceNames.ForOwner(caller.Issuer, caller.Subject);
        return live.RunAsync(context, caller, n => n.StartsWith(prefix, StringComparison.Ordinal), () =>
            new LiveEvent("update", List(caller).ToString()));
    }

    /// <summary>One workspace: events and log.</summary>
    public async Task DetailsAsync(HttpContext context, Caller caller)
    {
        var workspace = workspaces.Get(caller, Name(context));
        var view = View(workspace);
        var events = await insight.EventsAsync(caller, view.Name, context.RequestAborted).ConfigureAwait(false);
        await layout.WriteAsync(context, new Page
        {
            Title = view.DisplayName,
            Kind = "dashboard",
            NeedsScript = true,
            Body = Html.Of($"""
                <p><a href="/dashboard">← Workspaces</a></p>
                {WorkspaceHtml.Card(view, csrf.For(caller), clock.GetUtcNow(), isOwnPage: true)}
                <section class="card"><h2>What happened</h2>{Events(events.Select(EventView.From))}</section>
                <section class="card"><div class="head"><h2>Log</h2><a class="small" href="/dashboard/{view.Name}/logs">as plain text</a>
                </div>
                <pre class="log" tabindex="0" data-stream="/api/workspaces/{view.Name}/logs?follow=true&amp;tail=500">{NoLog}</pre>
                </section>
                <section class="card"><h2>About</h2>{Facts(view)}</section>
                """),
        }).ConfigureAwait(false);
    }

    /// <summary>The log as text.</summary>
    public async Task LogsAsync(HttpContext context, Caller caller)
    {
        await using var log = await insight.OpenLogAsync(caller, Name(context), follow: false, tail: 2000, previous: false,
            context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = "text/plain; charset=utf-8";
        bytes.CountAnswer(context);
        await log.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Asks before deleting.</summary>
    public Task AskDeleteAsync(HttpContext context, Caller caller)
    {
        var view = View(workspaces.Get(caller, Name(context)));
        var workspace = workspaces.Get(caller, Name(context));
        var volume = workspace.Spec.Storage?.DeletionPolicy == DeletionPolicies.Delete
            ? "Its files are deleted with it and cannot be brought back."
            : "Its files are kept; a workspace that you create under the same name finds them again.";
        return layout.WriteAsync(context, new Page
        {
            Title = "Delete a workspace",
            Kind = "message",
            Body = Html.Of($"""
                <article class="card center"><h1>Delete “{view.DisplayName}”?</h1><p>It is stopped and removed. {volume}</p>
                <div class="actions">{WorkspaceHtml.Button(view.Name, "delete", "Delete it", csrf.For(caller), "primary danger")}
                <a class="button" href="/dashboard">Keep it</a></div></article>
                """),
        });
    }

    /// <summary>Does what a button says, then goes back to the list.</summary>
    public async Task ActAsync(HttpContext context, Caller caller, IFormCollection form)
    {
        var name = Name(context);
        switch ((string?)context.Request.RouteValues["verb"])
        {
            case "start":
                await workspaces.StartAsync(caller, name, null, context.RequestAborted).ConfigureAwait(false);
                break;
            case "stop":
                await workspaces.StopAsync(caller, name, null, context.RequestAborted).ConfigureAwait(false);
                break;
            case "restart":
                await workspaces.RestartAsync(caller, name, null, context.RequestAborted).ConfigureAwait(false);
                break;
            case "keep":
                await holds.KeepAsync(caller, name, new HoldWish(), null, context.RequestAborted).ConfigureAwait(false);
                break;
            case "unkeep":
                await holds.UnkeepAsync(caller, name, null, context.RequestAborted).ConfigureAwait(false);
                break;
            case "delete":
                await workspaces.DeleteAsync(caller, name, null, context.RequestAborted).ConfigureAwait(false);
                break;
            default:
                throw new ProblemException(404, "not-found", "Not found", "There is nothing at this address.");
        }

        SeeOther(context, "/dashboard");
    }

    /// <summary>Creates a further workspace; on a mistake the form comes back with what was typed.</summary>
    public async Task CreateAsync(HttpContext context, Caller caller, IFormCollection form)
    {
        var wish = CreateForm.Read(form, options.DefaultTemplate);
        try
        {
            await workspaces.CreateAsync(caller, wish, context.RequestAborted).ConfigureAwait(false);
        }
        catch (ProblemException problem) when (problem.Status is 409 or 422)
        {
            await ListAsync(context, caller, problem, wish).ConfigureAwait(false);
            return;
        }

        SeeOther(context, "/dashboard");
    }

    private static void SeeOther(HttpContext context, string location)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = location;
    }

    private static string Name(HttpContext context) => (string)context.Request.RouteValues["name"]!;

    private WorkspaceView View(UserWorkspace workspace) => WorkspaceView.From(workspace, table, _urls);

    private Html List(Caller caller) => WorkspaceHtml.List(workspaces.List(caller), View, csrf.For(caller), clock.GetUtcNow());

    private Task ListAsync(HttpContext context, Caller caller, ProblemException? problem, CreateWorkspace? wish = null)
    {
        var count = workspaces.List(caller).Count;
        var notice = problem is null ? Html.Empty : Notice(problem);
        return layout.WriteAsync(context, new Page
        {
            Status = problem?.Status ?? 200,
            Title = "Workspaces",
            Kind = "dashboard",
            NeedsScript = true,
            Body = Html.Of($"""
                <div class="head"><h1>Workspaces</h1><span class="quiet">{count} of {options.MaximumPerPerson}</span></div>
                {notice}
                <div data-live="/dashboard/events" aria-live="polite">{List(caller)}</div>
                {(count is 0 || count >= options.MaximumPerPerson ? Html.Empty : Create(caller, problem, wish))}
                """),
        });
    }

    private Html Create(Caller caller, ProblemException? problem, CreateWorkspace? wish) => CreateForm.Render(
        [.. workspaces.Templates().Select(t => TemplateView.From(t, options.DefaultTemplate))], options.DefaultTemplate, csrf.For(caller),
            wish, problem);

    // What is said beside a field is not said twice; what has no field to stand beside is.
    private static Html Notice(ProblemException problem) => problem.Fields.Count == 0
        ? Html.Of($"<div class=\"notice bad\" role=\"alert\"><p>{problem.Message}</p></div>")
        : Html.Of($"<div class=\"notice bad\" role=\"alert\"><p>Nothing was created yet. {problem.Message}</p></div>");

    private static Html Events(IEnumerable<EventView> events)
    {
        var rows = Html.Join(events.Reverse().Take(50).Select(Row));
        return rows.ToString().Length == 0
            ? Html.Of($"<p class=\"quiet\">Nothing lately.</p>")
            : Html.Of($"<div class=\"scroll\"><table class=\"events\"><thead><tr>"
                + $"<th>Time (UTC)</th><th>What</th><th>More</th></tr></thead><tbody>{rows}</tbody></table></div>");
    }

    private static Html Row(EventView e)
    {
        var times = e.Count > 1 ? $" (×{e.Count})" : "";
        var at = e.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss");
        return Html.Of($"<tr><td class=\"time mono\">{at}</td><td>{e.Reason}</td><td>{e.Message}{times}</td></tr>");
    }

    private static Html Facts(WorkspaceView view)
    {
        var facts = new List<(string, string?)>
        {
            ("Name", view.Name), ("Address", view.Url), ("Template", view.Template),
                ("Owner", view.Owner.Name ?? view.Owner.Email ?? view.Owner.Subject),
            ("Created (UTC)", view.CreatedAt?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss")),
        };
        facts.AddRange((view.Parameters ?? new Dictionary<string, string>()).Select(p => ($"Parameter {p.Key}", (string?)p.Value)));
        var rows = facts.Where(f => f.Item2 is not null)
            .Select(f => Html.Of($"<tr><th scope=\"row\">{f.Item1}</th><td>{f.Item2}</td></tr>"));
        return Html.Of($"<table><tbody>{Html.Join(rows)}</tbody></table>");
    }
}
