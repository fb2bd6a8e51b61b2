using Berth.Resources;

namespace Berth.Edge;

/// <summary>How a workspace looks on the dashboard; pure functions.</summary>
internal static class WorkspaceHtml
{
    /// <summary>The list; also what the live stream sends.</summary>
    public static Html List(IReadOnlyList<UserWorkspace> workspaces, Func<UserWorkspace, WorkspaceView> view, string csrf,
        DateTimeOffset now) =>
        workspaces.Count == 0
        ? Html.Of($"""
            <article class="card center"><h2>You have no workspace yet</h2><p class="quiet">Make your first one; it takes a moment.</p>
            <div class="actions"><a class="button primary" href="/start">Create my workspace</a></div></article>
            """)
        : Html.Join(workspaces.Select(w => Card(view(w), csrf, now)));

    /// <summary>One workspace with what can be done with it now.</summary>
    /// <param name="workspace">The workspace.</param>
    /// <param name="csrf">Token of the forms.</param>
    /// <param name="now">Time.</param>
    /// <param name="isOwnPage">Whether the page is about this workspace alone: its name is the page's heading.</param>
    public static Html Card(WorkspaceView workspace, string csrf, DateTimeOffset now, bool isOwnPage = false)
    {
        var heading = isOwnPage ? Html.Of($"<h1>{workspace.DisplayName}</h1>") : Html.Of($"<h2>{workspace.DisplayName}</h2>");
        var message = workspace.Failure?.Message ?? workspace.Message;
        return Html.Of($"""
            <article class="card workspace" id="w-{workspace.Name}">
            <header>{heading}{Badge(workspace)}<span class="quiet small">{workspace.Template}</span></header>
            {(message is null || workspace.Ready ? Html.Empty : Html.Of($"<p class=\"quiet\">{message}</p>"))}
            {LifeHtml.Of(workspace, csrf, now)}
            {(workspace.PendingRestart ? Html.Of($"<p class=\"small\">A restart brings changes to this workspace.</p>") : Html.Empty)}
            <div class="actions">{Actions(workspace, csrf, isOwnPage)}</div>
            </article>
            """);
    }

    /// <summary>Phase in a word and a colour.</summary>
    public static Html Badge(WorkspaceView workspace)
    {
        var kind = workspace.Phase switch
        {
            WorkspacePhases.Running => "good",
            WorkspacePhases.Failed => "bad",
            WorkspacePhases.Stopped => "",
            _ => "busy",
        };
        return Html.Of($"<span class=\"badge {kind}\" role=\"status\">{workspace.Phase}</span>");
    }

    /// <summary>A button that posts.</summary>
    public static Html Button(string workspace, string verb, string label, string csrf, string style = "", string? confirm = null) =>
        Html.Of($"""
        <form method="post" action="/dashboard/{workspace}/{verb}"{Confirm(confirm)}><input type="hidden" name="csrf" value="{csrf}">
        <button id="{verb}-{workspace}" class="{style}">{label}</button></form>
        """);

    private static Html Confirm(string? question) => question is null ? Html.Empty : Html.Of($" data-confirm=\"{question}\"");

    private static Html Actions(WorkspaceView workspace, string csrf, bool isOwnPage)
    {
        var name = workspace.Name;
        var look = isOwnPage ? Html.Empty : Html.Of($"<a class=\"button\" href=\"/dashboard/{name}\">Details</a>");
        if (workspace.Phase == WorkspacePhases.Terminating)
        {
            return look;
        }

        var open = Html.Of($"<a class=\"button primary\" id=\"open-{name}\" href=\"{workspace.Url}/\">Open</a>");
        var running = workspace.DesiredState == DesiredStates.Running;
        return Html.Join(
        [
            open,
            running ? Button(name, "stop", "Stop", csrf) : Button(name, "start", "Start", csrf),
            running ? Button(name, "restart", workspace.Phase == WorkspacePhases.Failed ? "Try again" : "Restart", csrf) : Html.Empty,
            look,
            Html.Of($"<a class=\"button danger\" href=\"/dashboard/{name}/delete\">Delete</a>"),
        ]);
    }
}
